"""
The token exchange grant, RFC 8693: an API that was called calls another one for the same person.

Nothing is exchanged without a policy that an administrator wrote for the client, and the new
token never outlives the one it came from: both hang on what the person once allowed.
"""

from collections.abc import Mapping
from typing import Any

from insula.kernel import clock
from insula.kernel.ids import new_id
from insula.oidc import tokens
from insula.oidc.artefacts import ActiveToken, Exchanged
from insula.oidc.errors import (
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    UnauthorizedClient,
)
from insula.oidc.exchange import Exchange
from insula.oidc.features import resources
from insula.oidc.features.resources import Target
from insula.oidc.features.scopes import asked_for
from insula.oidc.models import ExchangePolicy, ResourceServer, Scopes, Session

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"

_REFUSED = "A token is not valid, or was not given to this client"

#: The longest chain of actors (TX-3).
_DEEPEST = 4


async def exchange(e: Exchange) -> bytes:
    """Exchange a living access token for one that another API takes."""
    issuer, client = e.issuer, e.client
    if client.is_public or not client.exchange_policies:
        raise UnauthorizedClient("The client may not exchange tokens")
    _check_types(e)
    subject = await _token(e, "subject_token")
    policy = _policy(e, subject)
    actor = await _token(e, "actor_token") if "actor_token" in e.params else None
    act = _act(e, policy, subject, actor)
    target = _target(e, policy, subject)
    # a second less: it may pass before the new token says when it was made
    left = subject.expires_at - int(clock.now()) - 1
    if left <= 0:
        raise InvalidGrant(_REFUSED, detail="subject_token has no time left")
    access_token, access = await tokens.mint_access_token(
        issuer,
        client,
        new_id(),
        target,
        _session(subject),
        jkt=e.jkt,
        longest=left,
        act=act,
        subject=subject.about or subject.client_id,
    )
    exchanged = Exchanged(subject, client, access, act, policy.mode, e.caller)
    if not await issuer.tokens.issue_exchanged(exchanged):
        raise InvalidGrant(_REFUSED, detail="subject_token ended while it was used")
    return tokens.answer(
        issuer, access_token, access, target.scopes, issued_token_type=ACCESS_TOKEN
    )


def _check_types(e: Exchange) -> None:
    """Access tokens only, in and out (TX-2)."""
    params = e.params
    if params.need("subject_token_type") != ACCESS_TOKEN:
        raise InvalidRequest("subject_token_type is not one of those supported")
    if params.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise InvalidRequest("requested_token_type is not one of those supported")
    if ("actor_token" in params) != ("actor_token_type" in params):
        raise InvalidRequest("actor_token and actor_token_type go together")
    if params.get("actor_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise InvalidRequest("actor_token_type is not one of those supported")


async def _token(e: Exchange, name: str) -> ActiveToken:
    """A token that is alive and was given to the client that brings it, or to its API."""
    found = await tokens.find_access_token(e.issuer, e.params.need(name))
    if found is None or not _is_for(e, found):
        raise InvalidGrant(_REFUSED, detail=f"{name}: dead, foreign, or for somebody else")
    return found


def _is_for(e: Exchange, token: ActiveToken) -> bool:
    own = e.client.client_id
    if token.client_id == own:
        return True
    servers = (e.issuer.resources.get(name) for name in token.audience)
    return any(server is not None and own in server.introspection_clients for server in servers)


def _policy(e: Exchange, subject: ActiveToken) -> ExchangePolicy:
    """The policy for this way from one audience to another (TX-1)."""
    named = {
        name
        for key in ("resource", "audience")
        if key in e.params
        for name in e.params[key].split(" ")
    }
    if len(named) > 1:
        raise InvalidTarget("A token is for one resource; name one")
    leaving = [
        policy
        for policy in e.client.exchange_policies
        if (policy.from_audience or e.issuer.url) in subject.audience
    ]
    if not leaving:
        raise UnauthorizedClient("No policy lets the client exchange a token of this audience")
    fitting = [policy for policy in leaving if not named or policy.to_audience in named]
    if not fitting:
        raise InvalidTarget("No policy lets this token be exchanged for that one")
    if len({policy.to_audience for policy in fitting}) > 1:
        raise InvalidTarget("The token may be exchanged for several; name one")
    return fitting[0]


def _act(
    e: Exchange, policy: ExchangePolicy, subject: ActiveToken, actor: ActiveToken | None
) -> Mapping[str, Any] | None:
    """Who acts for the person, and who did before (RFC8693-4.1)."""
    who = e.client.client_id
    if actor is not None:
        who = actor.about or actor.client_id
    if actor is not None and actor.person is not None:
        who = e.issuer.subject(e.client, actor.person.user_id)
    if subject.may_act is not None and subject.may_act.get("sub") != who:  # RFC8693-4.4
        raise InvalidGrant(_REFUSED, detail="may_act of the subject names another actor")
    if policy.mode == "impersonation":
        if actor is not None:
            raise InvalidRequest("The policy of this client names no actor")
        return subject.act
    act: dict[str, Any] = {"sub": who}
    if subject.act is not None:
        act["act"] = subject.act
    depth, inner = 1, subject.act
    while inner is not None:
        depth, inner = depth + 1, inner.get("act")
    if depth > _DEEPEST:
        raise InvalidRequest("The chain of actors is too long")
    return act


def _target(e: Exchange, policy: ExchangePolicy, subject: ActiveToken) -> Target:
    """The API of the policy, with the scopes that it and the subject allow (TX-5)."""
    resource = e.issuer.resources.get(policy.to_audience)
    if resource is None:
        raise InvalidTarget("The resource is not known any more")
    allowed = _allowed(e, policy, subject, resource)
    target = resources.target_of(resource, allowed, e.issuer.resources)
    asked = asked_for(e.params) or target.scopes
    if not asked <= target.scopes:
        raise InvalidScope("scope goes beyond what the policy and the token allow")
    return Target(resource, asked)


def _allowed(
    e: Exchange, policy: ExchangePolicy, subject: ActiveToken, resource: ResourceServer
) -> Scopes:
    """
    The policy's scopes; of the issuer and of the subject's own API, only what the subject has.

    A scope belongs to one API, so what the subject token may do elsewhere says nothing about
    another one: there the policy does.
    """
    is_new = resource.identifier not in subject.audience
    granted = subject.scopes | resource.scopes if is_new else subject.scopes
    return (policy.scopes & granted).intersection(e.issuer.scopes)


def _session(subject: ActiveToken) -> Session | None:
    if subject.person is None:
        return None
    return Session(
        subject.issue_id,
        subject.person.user_id,
        subject.auth_time or 0,
        subject.amr,
        subject.acr or "",
    )
