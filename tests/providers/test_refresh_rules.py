"""What a tenant says of refresh tokens holds, whatever an application's own settings say."""

import secrets

import pytest
from spine import FAST, GRANTS, Api, signed_in, tokens_of

from insula.config_overrides import service as config_overrides
from insula.config_overrides.models import Layers
from insula.config_overrides.resolution import resolve
from insula.providers.settings import RefreshRules


@pytest.fixture
def refreshing(product):
    """An application of a tenant with such rules, and a refresh token of it."""

    def refreshing(rules, **facts):
        slug = f"ref{secrets.token_hex(5)}"
        product.tenant(slug)

        async def decide(here):
            await config_overrides.change(await here.tenant(slug), RefreshRules, rules)

        product.backstage.run(decide)
        app = product.app(slug, grant_types=GRANTS, **FAST, **facts)
        with signed_in(product, slug, app) as browser:
            return Api(product, slug, app), tokens_of(product, slug, app, browser)["refresh_token"]

    return refreshing


@pytest.mark.spec("RT-4", "features C03")
@pytest.mark.parametrize(("rules", "rotates"), [({}, False), ({"always_rotate": True}, True)])
def test_an_application_keeps_its_token_where_the_tenant_lets_it(refreshing, rules, rotates):
    api, token = refreshing(rules, rotate_refresh_tokens=False)
    first = api.refresh(token).json()
    assert (first.get("refresh_token", token) != token) == rotates

    again = api.refresh(first.get("refresh_token", token))

    assert again.status_code == 200


@pytest.mark.spec("RT-4")
def test_a_token_is_replaced_unless_the_application_says_otherwise(refreshing):
    api, token = refreshing({})
    assert api.refresh(token).json()["refresh_token"] != token


@pytest.mark.spec("RT-6", "features C04")
@pytest.mark.parametrize(("grace", "status"), [(0, 400), (10, 200)])
def test_a_lost_answer_is_given_again_no_longer_than_the_tenant_says(refreshing, grace, status):
    api, token = refreshing({"longest_grace_seconds": grace}, refresh_grace=60)
    assert api.refresh(token).status_code == 200
    assert api.refresh(token).status_code == status


@pytest.mark.spec("RT-6")
def test_an_application_may_have_less_grace_than_its_tenant(refreshing):
    api, token = refreshing({}, refresh_grace=0)
    assert api.refresh(token).status_code == 200
    assert api.refresh(token).status_code == 400


@pytest.mark.spec("features C03", "features C04")
def test_the_platform_may_demand_rotation_and_bound_the_grace():
    free = {RefreshRules.key: {"always_rotate": False, "longest_grace_seconds": 60}}
    bounds = {RefreshRules.key: {"always_rotate": True, "longest_grace_seconds": 5}}
    held = resolve(RefreshRules, Layers(own=free, bounds=bounds))
    assert (held.always_rotate, held.longest_grace_seconds) == (True, 5)
