"""A notice belongs to the tenant whose sign-in ended, whoever names it."""

import json

import pytest
from product import CALLBACK
from spine import FAST, signed_in, tokens_of
from sqlalchemy import text

from insula.providers import logout


class NoDoor:
    """A way out that nobody may take."""

    async def post(self, *_args, **_options):
        raise AssertionError("somebody was told")


@pytest.fixture
def row(product):
    """What acme keeps of a sign-in that reached an application which wants to hear of its end."""
    app = product.app(
        "acme",
        redirect_uris=(CALLBACK,),
        backchannel_logout_uri="https://app.example/signed-out",
        **FAST,
    )
    tokens_of(product, "acme", app, signed_in(product, "acme", app))
    (row,) = product.rows("select * from insula.session_clients where client_id = %s", app.id)
    return row


def announced(product, row):
    found = "select announced_at from insula.session_clients where id = %s"
    return product.rows(found, row.id)[0].announced_at is not None


@pytest.mark.spec("OIDCBCL-2.5", "LO-12")
def test_no_tenant_announces_what_ended_at_another(product, row):
    announce = text("select insula.announce_logout(:sids) as n").bindparams(sids=[row.sid])

    async def announces(db):
        return (await db.execute(announce)).scalar_one()

    assert product.in_transaction("globex", announces) == 0
    assert not announced(product, row)


@pytest.mark.spec("OIDCBCL-2.5", "LO-12")
def test_a_notice_of_another_tenant_is_none(product, row):
    product.change("update insula.session_clients set announced_at = now() where id = %s", row.id)

    async def deliver(here):
        return await logout.deliver(await here.tenant("globex"), here.envelope, NoDoor(), row.id)

    assert product.backstage.run(deliver) is False


@pytest.mark.spec("security R26", "LO-12")
def test_a_job_is_of_the_tenant_that_queues_it_whatever_it_says(product, row):
    acme, globex = product.tenant_id("acme"), product.tenant_id("globex")
    says = json.dumps({"notice": str(row.id), "tenant_id": str(acme)})
    queue = text(
        "select insula.enqueue_job('logout.deliver', 'default', cast(:says as jsonb),"
        " now() + interval '9 years', null)"
    ).bindparams(says=says)

    async def queues(db):
        return (await db.execute(queue)).scalar_one()

    job = product.in_transaction("globex", queues)
    (kept,) = product.rows("select args from insula_jobs.procrastinate_jobs where id = %s", job)
    assert kept.args["tenant_id"] == str(globex)
