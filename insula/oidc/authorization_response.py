"""
How an authorization that a person allowed is answered: with a code, or with tokens at once.

What the request used up (its interaction, its pushed form, its signed object) and what it
brought about are one act of the database; only when that is done anything leaves.
"""

from insula.kernel.ids import Kind, new_id, new_secret
from insula.oidc import tokens
from insula.oidc.artefacts import Authorized, FrontChannel, NewAccess, NewCode, UsedUp
from insula.oidc.authorization import Authorization, send
from insula.oidc.errors import InvalidRequest, InvalidRequestObject, LoginRequired, Overtaken
from insula.oidc.features import consent, resources, response_types
from insula.oidc.features.scopes import asked_for
from insula.oidc.http import Response
from insula.oidc.models import Person

#: The longest life of an access token that went through a browser's address, in seconds.
FRONT_CHANNEL_LIFE = 600


async def respond(a: Authorization) -> Response:
    scopes = consent.as_allowed(a.scopes, a.consented)
    authorized = Authorized(
        client=a.client,
        session=a.session,
        scopes=scopes,
        must_be_allowed=scopes | a.covering if consent.is_of_the_person(a.client) else None,
        resources=a.resources,
        claims=a.claims_kept,
        auth_time_wanted=(a.max_age is not None or a.client.require_auth_time or a.asked.auth_time),
        nonce=a.params.get("nonce"),
        used_up=UsedUp(a.interaction.id if a.interaction else None, a.pushed, a.request_object),
    )
    if a.response_type == response_types.CODE:
        return await _respond_with_code(a, authorized)
    return await _respond_at_once(a, authorized)


async def _respond_with_code(a: Authorization, authorized: Authorized) -> Response:
    code = new_secret(Kind.CODE)
    issued = await a.issuer.tokens.issue_code(
        NewCode(
            code=code,
            authorized=authorized,
            redirect_uri=a.redirect_uri,
            code_challenge=a.challenge,
            dpop_jkt=a.dpop_jkt,
            lifetime=a.issuer.lifetimes.code,
        ),
        a.request.caller,
    )
    return send(a, {"code": code}) if issued else _refuse_ended(a)


async def _respond_at_once(a: Authorization, authorized: Authorized) -> Response:
    """OIDCC-3.2.2.5: never a refresh token, and short-lived whatever the tenant allows."""
    issuer, issue_id = a.issuer, new_id()
    person = await issuer.people.person(a.session.user_id)
    if person is None:
        return _refuse_ended(a)
    fields: dict[str, str] = {}
    access: NewAccess | None = None
    if response_types.has_token(a.response_type):
        target = resources.choose(
            {},
            a.client,
            authorized.resources,
            authorized.scopes,
            issuer.resources,
            issuer.url,
        )
        access_token, access = await tokens.mint_access_token(
            issuer, a.client, issue_id, target, a.session, longest=FRONT_CHANNEL_LIFE
        )
        fields = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": str(access.expires_in),
        }
        if access.scopes != asked_for(a.params):
            fields["scope"] = tokens.scope_string(issuer, access.scopes)
    fields["id_token"] = await tokens.mint_id_token(
        issuer,
        a.client,
        _statement(a, authorized, person),
        authorized.scopes,
        fields.get("access_token"),
    )
    issued = await issuer.tokens.issue_at_once(
        FrontChannel(issue_id, authorized, access), a.request.caller
    )
    if not issued:
        return _refuse_ended(a)
    issuer.clients.note_issued(a.client, "implicit")
    return send(a, fields)


def _statement(a: Authorization, authorized: Authorized, person: Person) -> tokens.Statement:
    return tokens.Statement(
        session=a.session,
        person=person,
        claims=authorized.claims,
        auth_time_wanted=authorized.auth_time_wanted,
        nonce=authorized.nonce,
    )


def _refuse_ended(a: Authorization) -> Response:
    """
    What was asked for ended while it was being answered, or was answered before.

    Raises `Overtaken` the first time: whose session has just ended signs in again.
    """
    if not a.is_repeat:
        raise Overtaken
    if a.request_object is not None:  # who is signed in was looked at a moment ago
        raise InvalidRequestObject("The request object was used before")
    if a.is_silent:
        raise LoginRequired("The session has ended")
    a.redirect_uri = ""  # nobody is signed in any more: a page, and no redirect (AZ-11)
    raise InvalidRequest("This sign-in has ended. Please start again from the application")
