"""What clients sign for the issuer of these tests."""

import re

from oidc_world import FORM, ISSUER, call
from signed import signed_assertion, signed_proof

from insula.kernel import clock

TOKEN_URL = ISSUER + "/oauth2/token"
USERINFO_URL = ISSUER + "/oauth2/userinfo"
PAR_URL = ISSUER + "/oauth2/par"


def assertion(key, client_id="machine", **changes):
    return signed_assertion(key, client_id, **{"aud": ISSUER, "now": clock.now()} | changes)


def proof(key, method="POST", url=TOKEN_URL, **changes):
    return signed_proof(key, method, url, **{"now": clock.now()} | changes)


def dpop(token):
    return ("dpop", token)


async def userinfo(world, token, *proofs, scheme="DPoP", method="GET", body=b"", **options):
    """Userinfo with *token* under a scheme, and the proofs as headers of their own."""
    headers = [("authorization", f"{scheme} {token}"), *(dpop(each) for each in proofs)]
    if body:
        headers.append(FORM)
    return await call(
        world.provider, method, "/oauth2/userinfo", headers=headers, body=body, **options
    )


def named(value):
    """A name for a case that is the same in every run: keys are new each time."""
    return re.sub(r"[A-Za-z0-9_-]{30,}", "...", repr(value))[:60]
