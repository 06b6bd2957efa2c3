"""A token that names who may act for its person is exchanged by nobody else (RFC8693-4.4)."""

import base64
import json

import pytest
from apis import USES_APIS
from test_token_exchange import ACCESS_TOKEN, GRANT, TO_BILLING, backend, subject, world

from insula.oidc.signing import load_signing_key

__all__ = ["world"]

pytestmark = pytest.mark.spec("RFC8693-4.4", "TX-4")


@pytest.fixture
def resigned(generated):
    """The same token with one more claim, signed by the issuer."""
    made = generated["ES256"]
    key = load_signing_key(made.kid, made.alg, made.pkcs8_der)

    def resigned(token, **more):
        payload = token.split(".")[1]
        says = json.loads(_decoded(payload))
        return key.jwt("at+jwt", says | more)

    return resigned


def _decoded(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


@pytest.mark.parametrize(("may_act", "status"), [("backend", 200), ("somebody", 400)])
async def test_only_the_one_who_is_named_may(world, resigned, may_act, status):
    app, client = world.client("app", **USES_APIS), backend(world, TO_BILLING)
    token = resigned(await subject(world, app), may_act={"sub": may_act})

    answer = await world.token(
        client, grant_type=GRANT, subject_token=token, subject_token_type=ACCESS_TOKEN
    )

    assert answer.status == status
    assert answer.json.get("error") == (None if status == 200 else "invalid_grant")
