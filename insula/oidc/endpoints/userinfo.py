"""The userinfo endpoint: OIDCC-5.3. What the token's scopes and claims stand for, no more."""

from insula.kernel import clock
from insula.oidc.artefacts import ActiveToken
from insula.oidc.bearer import authorize
from insula.oidc.dpop_proofs import offer_nonce
from insula.oidc.errors import InsufficientScope, StepUpNeeded
from insula.oidc.features import claims
from insula.oidc.features.scopes import OPENID
from insula.oidc.http import NO_STORE, Request, Response, json_answer
from insula.oidc.issuer import Issuer
from insula.oidc.signing import compact_json
from insula.oidc.tokens import sign_for


async def userinfo(issuer: Issuer, request: Request) -> Response:
    token, client = await authorize(issuer, request)
    if token.person is None or OPENID not in token.scopes:
        raise InsufficientScope("The access token does not speak of a person", scope=OPENID)
    _check_level(issuer, token)
    person = token.person
    says = {
        **claims.of_scopes(person.claims, token.scopes, issuer.scopes),
        **claims.by_name(person.claims, token.claims, "userinfo", client, issuer.scopes),
        "sub": issuer.subject(client, person.user_id),
    }
    alg = client.userinfo_signed_response_alg
    if alg is None:
        return offer_nonce(issuer, json_answer(compact_json(says).encode()))
    signed = await sign_for(issuer, client, alg, says)
    answer = Response(200, ((b"content-type", b"application/jwt"), *NO_STORE), signed.encode())
    return offer_nonce(issuer, answer)


def _check_level(issuer: Issuer, token: ActiveToken) -> None:
    """Ask for a fresher or stronger sign-in where an API of the token wants one (RFC9470-3)."""
    age = clock.now() - (token.auth_time or 0)
    for server in (issuer.resources[name] for name in token.audience if name in issuer.resources):
        is_too_old = server.max_age is not None and age > server.max_age
        is_too_weak = server.required_acr and token.acr != server.required_acr
        if is_too_old or is_too_weak:
            raise StepUpNeeded(
                "A more recent or stronger sign-in is needed",
                acr_values=server.required_acr,
                max_age=server.max_age,
            )
