"""A client is never registered with an algorithm that its tenant cannot sign with."""

import pytest

from insula.clients import service
from insula.clients.errors import InvalidClientMetadata


def _metadata(**values):
    return service.parse_metadata(
        {"redirect_uris": ("https://app.example/callback",), **values}, development=False
    )


@pytest.mark.parametrize("field", ["id_token_signed_response_alg", "access_token_alg"])
async def test_an_algorithm_without_a_key_is_refused_with_its_remedy(house, field):
    with pytest.raises(InvalidClientMetadata, match="keys generate --alg EdDSA") as refusal:
        await service.register(house.tenant, "App", _metadata(**{field: "EdDSA"}))
    assert refusal.value.field == field


async def test_a_change_to_one_is_refused_too(house):
    made = await service.register(house.tenant, "App", _metadata())
    with pytest.raises(InvalidClientMetadata):
        await service.change(
            house.tenant, made.client_id, {"access_token_alg": "PS256"}, development=False
        )
