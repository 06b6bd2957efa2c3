"""Third-party login: where a login may begin is registered, kept and told."""

import pytest
from registering import is_refused, register
from suite import interleaved


@pytest.fixture
def sites(dynamic_sites):
    return dynamic_sites


@pytest.mark.spec("OIDCC-4", "OC-17", "DR-10")
@interleaved
async def test_oidcc_3rd_party_init_login(run):
    where = "https://suite.example/begin"

    says = await register(run, initiate_login_uri=where)

    answer = await run.get(
        says["registration_client_uri"],
        headers={"authorization": f"Bearer {says['registration_access_token']}"},
    )
    assert answer.status_code == 200
    assert says["initiate_login_uri"] == answer.json()["initiate_login_uri"] == where


@pytest.mark.spec("OIDCC-4", "OC-17")
@interleaved
async def test_oidcc_3rd_party_init_login_nohttps(run):
    await is_refused(run, initiate_login_uri="http://suite.example/begin")
