"""Figures by day as people see them: bars, a sentence, and what is said where there are none."""

from datetime import date, timedelta

import pytest
from spine import signed_in

from insula.figures.models import Day
from insula.platform_admin.charts import chart_of, top_of


@pytest.mark.parametrize(
    ("n", "top"), [(0, 2), (2, 2), (3, 4), (5, 10), (11, 20), (1901, 2000), (40_001, 100_000)]
)
def test_a_scale_ends_at_a_round_number_whose_half_is_one_too(n, top):
    assert top_of(n) == top


def test_a_chart_says_itself_in_a_sentence():
    days = [Day(date(2026, 1, 1) + timedelta(days=n), n, n % 2) for n in range(30)]
    chart = chart_of(days, "sign-ins", "refused")

    assert chart.said == "Sign-ins: 435, refused: 15, 1 Jan to 30 Jan. Most on 30 Jan: 29."
    assert [bar.label for bar in chart.bars if bar.is_named][-2:] == ["25 Jan", "30 Jan"]
    assert chart_of([Day(date(2026, 1, 1), 0)], "x").is_empty
    assert chart_of(None, "x") is None


@pytest.mark.spec("features F20", "features F02")
def test_charts_stand_on_the_dashboard_the_tenant_and_the_pool(product, browser, at, tenant):
    person = product.person(tenant)
    app = product.app(tenant)
    nothing = browser.get(at(f"/platform/tenants/{tenant}")).text
    assert "Nobody has signed in here in the last 30 days." in nothing
    assert 'class="chart' not in nothing
    with signed_in(product, tenant, app, person):
        seen = browser.get(at(f"/platform/tenants/{tenant}")).text
    assert 'aria-label="Sign-ins: 1, refused: 0, ' in seen
    made = browser.get(at("/platform")).text
    assert "Created: " in made
    pool = browser.get(at("/platform/pool")).text
    assert ", had to be built: " in pool
    product.change("alter table insula.platform_days rename to elsewhere")
    try:
        broken = browser.get(at("/platform"))
    finally:
        product.change("alter table insula.elsewhere rename to platform_days")
    assert broken.status_code == 200
    assert broken.text.count("This figure is not available at the moment.") == 2
    assert "All tenants at a glance" in broken.text
