"""Valkey is killed: nothing breaks, and changes are followed all the same, only later."""

import time
from urllib.parse import urlsplit

import pytest
from browsing import Browser
from spine import FAST, GRANTS, Api, signed_in, tokens_of, until

from insula.clients import service as clients
from insula.keys import service as keys

#: A second is promised (CR-7), and a busy machine may take another; the poll comes every three.
#: What comes by events comes sooner than any poll; the poll has its turn on a busy machine as well.
SOON, BY_POLL = 2.0, 15.0


@pytest.fixture
def app(house):
    return house.app("globex", grant_types=GRANTS, **FAST)


@pytest.fixture
def both(house, second, app):
    """The application at two servers of one installation."""
    found = [Api(house, "globex", app), Api(house, "globex", app, port=second.port)]
    for api in found:
        assert api.own_token().status_code == 200
    return found


def kids(api):
    return {key["kid"] for key in api.get("/oauth2/jwks").json()["keys"]}


def publish(house):
    """Another process publishes the next keys; they are taken away again before the next time."""

    async def act(here):
        tenant = await here.tenant("globex")
        for key in await keys.list_keys(tenant):
            if key.state == "next":
                await keys.retire(tenant, key.kid)
        return await keys.publish(tenant, here.envelope)

    return set(house.backstage.run(act))


def knows(house, app, api):
    """Whether a server knows the application; asked without a secret, so none is guessed at."""
    url = urlsplit(house.authorize_url("globex", app))
    return api.get(f"{url.path}?{url.query}").status_code == 303


def follows(both, seconds, holds):
    """All servers, and all of their processes as far as they are met, follow within *seconds*."""
    started = time.monotonic()
    for api in both:
        left = seconds - (time.monotonic() - started)
        until(max(left, 0.05), lambda api=api: all(holds(api) for _ in range(4)))


def status_of(house, app, status):
    async def act(here):
        tenant = await here.tenant("globex")
        await clients.change(tenant, app.client_id, {}, status=status, development=True)

    house.backstage.run(act)


def test_with_events_changes_are_followed_at_once(alive, app, both):
    new = publish(alive)
    follows(both, SOON, lambda api: new <= kids(api))

    status_of(alive, app, "inactive")
    follows(both, SOON, lambda api: not knows(alive, app, api))


def test_without_events_they_are_followed_by_the_poll(alive, app, both):
    alive.valkey.kill()
    time.sleep(0.2)

    new = publish(alive)
    follows(both, BY_POLL, lambda api: new <= kids(api))
    status_of(alive, app, "inactive")
    follows(both, BY_POLL, lambda api: not knows(alive, app, api))
    status_of(alive, app, "active")
    follows(both, BY_POLL, lambda api: knows(alive, app, api))

    alive.valkey.start()
    time.sleep(3)  # the longest pause between two tries to connect
    new = publish(alive)
    follows(both, SOON, lambda api: new <= kids(api))


def test_without_events_nothing_breaks_and_nothing_waits(alive, app, both):
    alive.valkey.kill()

    started = time.monotonic()
    with signed_in(alive, "globex", app) as browser:
        tokens = tokens_of(alive, "globex", app, browser)
    for api in both:
        refreshed = api.refresh(tokens["refresh_token"])
        assert refreshed.status_code == 200
        assert api.userinfo(refreshed.json()["access_token"]).status_code == 200
        ready = api.get("/ready", headers={"host": "ops.localhost"})
        assert ready.status_code == 200
    with Browser() as stranger:
        assert stranger.open(alive.url("globex", "/sign-in")).status == 200

    assert time.monotonic() - started < 8
    until(BY_POLL, lambda: "away" in both[1].get("/ready", headers={"host": "ops.localhost"}).text)


def test_a_suspended_tenant_is_refused_everywhere_soon(alive, second):
    slug = "closing"
    alive.tenant(slug)
    app = alive.app(slug, grant_types=GRANTS, **FAST)
    both = [Api(alive, slug, app), Api(alive, slug, app, port=second.port)]
    token = both[0].own_token().json()["access_token"]
    for api in both:
        assert api.is_active(token)

    alive.suspend(slug)

    assert all(api.own_token().status_code in (401, 403) for api in both)  # at once
    follows(both, SOON, lambda api: api.get("/oauth2/jwks").status_code == 403)
    follows(both, SOON, lambda api: api.introspect(token).status_code == 403)
