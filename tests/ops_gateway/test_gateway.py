"""The ops gateway: probes and numbers, and nothing of any tenant."""

import httpx2
import pytest
from browsing import Browser
from probing import hole, probe
from raw_http import ask
from spine import metric


@pytest.fixture(params=["ops", "_ops"])
def gateway(product, request):
    with httpx2.Client(
        base_url=product.server.url, headers={"host": product.server.host(request.param)}
    ) as http:
        yield http


def test_it_is_alive_and_ready(gateway):
    assert gateway.get("/health").json() == {"status": "ok"}

    answer = gateway.get("/ready")

    assert answer.status_code == 200
    said = answer.json()
    assert said["checks"].pop("isolation")
    assert said == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "clock": "ok", "events": "ok"},
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_probes_are_read_and_nothing_else(gateway, path, method):
    answer = gateway.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "path",
    [
        "/", "/sign-in", "/oauth2/authorize", "/oauth2/token", "/oauth2/jwks",
        "/.well-known/openid-configuration", "/branding/acme.css", "/static/ui.css",
        "/api/v1/users", "/health/", "/READY", "/metrics/..", "/social/acme/callback",
    ],
)  # fmt: skip
def test_nothing_of_a_tenant_is_there(gateway, path):
    answer = gateway.get(path)

    assert answer.status_code == 404
    assert answer.json() == {"error": "not_found"}


def test_it_knows_no_session(product, gateway):
    with Browser() as browser:
        page = browser.open(product.url("acme", "/sign-in"))
        browser.sign_in(page, product.demo_person("acme"))
        cookie = browser.cookie(product.url("acme", "/"), "insula_session")

    for path in ("/", "/ready", "/sign-in", "/nothing"):
        answer = gateway.get(path, headers={"cookie": f"insula_session={cookie}"})
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-type"].startswith("application/json")


def test_no_header_makes_it_a_tenants(gateway):
    answer = gateway.get("/oauth2/jwks", headers={"x-tenant-id": "acme"})

    assert answer.status_code == 404


@pytest.mark.parametrize("host", [b"10.0.0.1", b"localhost", b"nobody.example", b"a b", b"", None])
def test_whoever_asks_by_address_hears_that_it_lives(product, host):
    answer = ask(product.server, "/health", host, version="1.0")

    assert (answer.status, answer.body) == (200, b'{"status": "ok"}')


def test_readiness_is_the_gateways_alone(product):
    assert ask(product.server, "/ready", product.server.host("acme").encode()).status == 404
    assert ask(product.server, "/metrics", product.server.host("acme").encode()).status == 404


def test_the_numbers_are_there(product, gateway):
    product.http().get(product.url("acme", "/oauth2/jwks"))

    text = gateway.get("/metrics").text

    for name in (
        "insula_requests_total", "insula_request_seconds_bucket", "provider_pool_size",
        "provider_pool_hits_total", "provider_pool_misses_total", "provider_pool_builds_total",
        "provider_pool_build_seconds_count", "insula_events_connected",
        "insula_database_trips_total", "insula_hashing_waiting",
    ):  # fmt: skip
        assert f"\n{name}" in text, name
    assert "acme" not in text


@pytest.mark.spec("features BEY-1")
def test_a_hole_between_tenants_makes_it_degraded_and_leaves_it_ready(product):
    failures = "insula_isolation_probe_failures_total"
    with httpx2.Client(
        base_url=product.server.url, headers={"host": product.server.host("ops")}
    ) as gateway:
        probe(product)
        assert gateway.get("/ready").json()["checks"]["isolation"] == "ok"
        before = metric(product.server, failures)
        passed = metric(product.server, "insula_isolation_probe_passed_timestamp_seconds")
        assert passed > 0
        with hole(product):
            found = probe(product)
        degraded = gateway.get("/ready")
        after = metric(product.server, failures)
        probe(product)
        mended = gateway.get("/ready").json()

    assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
    assert degraded.json()["checks"]["isolation"].startswith("degraded: ")
    assert after == before + len(found.failures) > before
    assert (mended["status"], mended["checks"]["isolation"]) == ("ready", "ok")
    assert metric(product.server, "insula_isolation_probe_passed_timestamp_seconds") >= passed
