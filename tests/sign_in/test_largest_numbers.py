"""Every number that can be set has an end, and the product works at it."""

import secrets

import annotated_types
import pytest
from spine import OFFLINE, Api

from insula.config_overrides import service as config_overrides
from insula.config_overrides.models import Layers
from insula.config_overrides.resolution import resolve
from insula.platform.sections import CATALOGUE
from insula.sign_in.settings import BruteForce


def largest(section):
    """What the numbers of a section may be at most, by field; None for one without an end."""
    return {
        name: next((m.le for m in info.metadata if isinstance(m, annotated_types.Le)), None)
        for name, info in section.model_fields.items()
        if info.annotation is int
    }


@pytest.mark.spec("features C02")
@pytest.mark.parametrize("section", list(CATALOGUE), ids=lambda section: section.key)
def test_no_number_of_a_section_is_without_an_end(section):
    assert None not in largest(section).values()


@pytest.mark.spec("features C08")
def test_a_number_beyond_the_end_that_an_older_release_stored_counts_as_not_stored():
    stored = {BruteForce.key: {"window_seconds": 10**15, "per_ip": 7}}

    for layers in (Layers(own=stored), Layers(platform=stored), Layers(bounds=stored)):
        held = resolve(BruteForce, layers)
        assert held.window_seconds == BruteForce().window_seconds
        assert held.per_ip == 7


@pytest.fixture
def extreme(product):
    """The slug of a tenant with every number at its end; afterwards it has decided nothing."""
    slug = f"end{secrets.token_hex(5)}"
    product.tenant(slug)

    def decide(of):
        async def act(here):
            tenant = await here.tenant(slug)
            for section in CATALOGUE.of_tenants():
                await config_overrides.change(tenant, section, of(section))

        product.backstage.run(act)

    decide(largest)
    yield slug
    decide(lambda section: dict.fromkeys(largest(section)))


@pytest.mark.spec("features C02", "security 61")
def test_a_tenant_with_every_number_at_its_end_lets_people_and_applications_in(
    product, browser, extreme
):
    slug = extreme
    app, ada = product.app(slug), product.person(slug)
    asked = product.authorize_url(slug, app, scope=OFFLINE)
    wrong = type(app)(app.id, app.client_id, "ins_cs_wrong")

    refused = browser.sign_in(browser.open(asked), ada, "not the password of anybody")
    assert refused.status == 422
    assert Api(product, slug, wrong).own_token().status_code == 401
    api = Api(product, slug, app)
    tokens = api.redeem(browser.sign_in(refused, ada).code).json()
    assert api.refresh(tokens["refresh_token"]).status_code == 200
