"""Which errands share places and breakers: what strangers can cause stands in nobody's way."""

from types import SimpleNamespace
from uuid import uuid4

import pytest

from insula.oidc.errors import Unreachable
from insula.outbound import errors
from insula.outbound.door import Door
from insula.outbound.settings import OutboundRules
from insula.providers.client_keys import ClientKeys
from insula.providers.requests import TenantRequests

MANY = 8


@pytest.mark.spec("security F-9", "JR-2", "CA-4")
async def test_requests_by_reference_do_not_make_a_host_look_away_for_its_keys():
    asked = []

    def no_address(name, _port):
        asked.append(name)
        raise OSError("no such name")

    tenant, door = SimpleNamespace(id=uuid4()), Door(OutboundRules(), look_up=no_address)
    requests, keys = TenantRequests(tenant, None, door), ClientKeys(door)
    for _ in range(MANY):
        with pytest.raises(Unreachable):
            await requests.fetch("https://rp.example/request.jwt")
    assert len(asked) < MANY  # the host is left alone

    asked.clear()
    with pytest.raises(errors.Unreachable):
        await keys.keys(tenant.id, uuid4(), "https://rp.example/jwks", kid=None)
    await door.close()

    assert len(asked) == 1
