"""The world of these tests with APIs of its own, and what answers say when they hold tokens."""

from urllib.parse import parse_qsl, urlsplit

import jwt as pyjwt
from oidc_world import SCOPES, build

from insula.oidc.models import Features, ResourceServer

REPORTS = "https://reports.example/v1"
BILLING = "urn:acme:billing"
#: An API whose tokens userinfo takes too.
DESK = "https://desk.example"

APIS = {
    server.identifier: server
    for server in (
        ResourceServer(REPORTS, "Reports", frozenset({"reports:read", "reports:write"})),
        ResourceServer(BILLING, "Billing", frozenset({"billing:read"}), token_format="opaque"),  # noqa: S106
        ResourceServer(DESK, "Desk", frozenset({"desk:use"}), with_userinfo=True),
    )
}
OF_APIS = frozenset().union(*(server.scopes for server in APIS.values()))
#: What a client needs to use all of them.
USES_APIS = {
    "resources": frozenset(APIS),
    "scopes": frozenset({"openid", "profile", "email", "offline_access"}) | OF_APIS,
}


#: As built in, with the exchange of tokens, which an issuer has to ask for.
EXCHANGING = Features(token_exchange=True)


def reissue(world, ring, *, resources=APIS, features=None, gone=(), **changes):
    """Let the same host be served by another instance, as after a change of the tenant's rules."""
    own = {scope for server in resources.values() for scope in server.scopes}
    scopes = {**SCOPES, **dict.fromkeys(sorted(own), ())}
    world.provider = build(
        world.host,
        ring,
        resources=resources,
        features=features or EXCHANGING,
        scopes={name: claims for name, claims in scopes.items() if name not in gone},
        **{"pairwise_key": b"p" * 32} | changes,
    )
    return world


def payload(token):
    """What a JWT says, unverified."""
    return pyjwt.decode(token, options={"verify_signature": False})


def in_fragment(answer):
    """The fields of an answer that travels behind "#"; nothing may stand in the query."""
    assert answer.status == 303, answer.text
    target = urlsplit(answer.location)
    assert not target.query
    return dict(parse_qsl(target.fragment, keep_blank_values=True, strict_parsing=True))


def is_refused(answer, error, status=400):
    """T(x)."""
    assert (answer.status, answer.json["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return True
