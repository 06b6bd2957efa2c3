"""The userinfo endpoint: OIDCC-5.3. What the token's scopes and claims stand for, no more."""

from insula.oidc.bearer import authorize
from insula.oidc.errors import InsufficientScope
from insula.oidc.features import claims
from insula.oidc.features.scopes import OPENID
from insula.oidc.http import Request, Response, json_answer
from insula.oidc.issuer import Issuer
from insula.oidc.signing import compact_json


async def userinfo(issuer: Issuer, request: Request) -> Response:
    token = await authorize(issuer, request)
    if request.header(b"origin") is not None:
        request.client = await issuer.clients.find(token.client_id)
    if token.person is None or OPENID not in token.scopes:
        raise InsufficientScope("The access token does not speak of a person", scope=OPENID)
    person = token.person
    says = {
        **claims.of_scopes(person.claims, token.scopes, issuer.scopes),
        **claims.by_name(person.claims, token.claims, "userinfo"),
        "sub": str(person.user_id),
    }
    return json_answer(compact_json(says).encode())
