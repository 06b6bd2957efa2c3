"""`insula check deployment`: what it finds well, and each thing that it is there to find."""

import json
import re
import socket
import time

import pytest
from containers import BASE, PROXY_SECRET
from proxies import KINDS, as_it_should_be, program, running, tls_proxy
from serving import ROOT
from typer.testing import CliRunner

from insula.ops_gateway import arrival
from insula.platform import deployment, edge, environment, migrations
from insula.platform.cli.main import app
from insula.platform.deployment import wire

pytestmark = pytest.mark.spec("features A03")


@pytest.fixture
def settings(web):
    """What a command that runs beside the web container reads."""
    return environment.load(web.container.environment, None)


@pytest.fixture
def ask(settings):
    """Ask through the proxy at a port; findings by check."""

    def ask(port, authority, *, names=lambda _: frozenset({"127.0.0.1"}), **changed):
        found = {}
        for finding in deployment.findings(
            settings.model_copy(update=changed),
            connect=("127.0.0.1", port),
            ca_file=str(authority) or None,
            resolve=names,
        ):
            found.setdefault(finding.check, []).append(finding)
        return found

    return ask


def states(found):
    return {check: {finding.state for finding in some} for check, some in found.items()}


WELL = {
    name: {"ok"}
    for name in (
        "trusted_proxies", "dns", "tls", "proxy", "ready", "forwarded", "proxy_secret",
        "tenant_header",
    )
}  # fmt: skip


def good(headers):
    return as_it_should_be(headers, secret=PROXY_SECRET)


@pytest.mark.parametrize("kind", KINDS)
def test_our_examples_for_proxies_are_well(kind, ask, web, tmp_path):
    if program(kind) is None:
        pytest.skip(f"{kind} is not installed here, so its example is not run")

    with running(kind, tmp_path, web.port, PROXY_SECRET) as (port, authority):
        found = ask(port, authority)

    assert states(found) == WELL
    assert "127.0.0.1" in found["forwarded"][0].found


def test_our_examples_let_through_what_the_server_takes():
    texts = [
        (ROOT / path).read_text() for path in ("deploy/nginx/insula.conf", "docs/how-to/deploy.md")
    ]
    sizes = [
        re.search(r'(?:client_max_body_size |proxy-body-size: ")(\d+)k', text) for text in texts
    ]

    assert min(int(size[1]) * 1024 for size in sizes) >= edge.MOST_UPLOAD


@pytest.mark.spec("security row 118")
def test_our_examples_overwrite_whatever_the_server_believes():
    read = {"x-forwarded-for", "x-request-id", "x-insula-proxy-secret", "x-tenant-id"}
    nginx = (ROOT / "deploy/nginx/insula.conf").read_text().lower()
    caddy = (ROOT / "deploy/caddy/Caddyfile").read_text().lower()

    for name in read:
        assert re.search(rf"proxy_set_header {name} ", nginx)
    for name in read - {"x-forwarded-for"}:  # Caddy's own habit, asked for above
        assert re.search(rf"header_up -?{name}\b", caddy)


@pytest.fixture
def installed(web, monkeypatch, tmp_path):
    """The web container's environment as a command's own."""
    for name, text in web.container.environment.items():
        if name.startswith(("INSULA_", "PGPASS")):
            monkeypatch.setenv(name, text)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("installed")
def test_the_command_asks_about_the_ground_too_and_ends_with_a_code(web, tmp_path):
    runner = CliRunner()
    with tls_proxy(tmp_path, web.port, good) as (port, authority):
        words = ["check", "deployment", "--connect", f"127.0.0.1:{port}", "--ca", str(authority)]
        done = runner.invoke(app, [*words, "--json"])
        shown = runner.invoke(app, words)

    found = {}
    for finding in json.loads(done.stdout):
        found.setdefault(finding["check"], []).append(finding)
    assert {name: {f["state"] for f in found[name]} for name in found} == {
        **WELL, "dns": {"failed"}, "database": {"ok"}, "schema": {"ok"}, "role": {"ok"},
        "platform_role": {"ok"}, "events": {"ok"},
    }  # fmt: skip
    assert found["dns"][0]["found"] == f"{BASE} has no address"
    assert migrations.head() in found["schema"][0]["found"]
    assert (done.exit_code, shown.exit_code) == (1, 1)
    assert "Add A and AAAA records" in shown.stdout
    assert runner.invoke(app, ["check", "deployment", "--connect", "nowhere"]).exit_code == 2


# --- what can be wrong with a proxy


def without(name):
    return lambda headers: {n: t for n, t in good(headers).items() if n.lower() != name}


def appended(headers):
    """To what the caller sent, the address of a caller who is a proxy itself."""
    sent = headers.get("X-Forwarded-For")
    return good(headers) | ({"X-Forwarded-For": f"{sent}, 127.0.0.1"} if sent else {})


def twice(headers):
    sent = headers.get("X-Forwarded-For")
    return good(headers) | ({"x-forwarded-for": sent} if sent else {})


def passed_on(name):
    return lambda headers: good(headers) | ({name: headers[name]} if name in headers else {})


@pytest.mark.parametrize(
    ("headers_of", "check", "state", "said"),
    [
        (passed_on("X-Forwarded-For"), "forwarded", "failed", "callers choose their own address"),
        (appended, "forwarded", "warning", "from a machine that is none"),
        (twice, "forwarded", "failed", "it arrives twice"),
        (without("x-forwarded-for"), "forwarded", "failed", "sends no X-Forwarded-For"),
        (without("x-insula-proxy-secret"), "proxy_secret", "failed", "INSULA_PROXY_SECRET"),
        (without("x-insula-proxy-secret"), "forwarded", "failed", "x-insula-proxy-secret"),
        (passed_on("X-Tenant-Id"), "tenant_header", "warning", "Let the proxy remove x-tenant-id"),
        (lambda headers: {**good(headers), "Host": BASE}, "ready", "failed", "Pass Host"),
        (without("x-insula-check"), "forwarded", "warning", "INSULA_HMAC_KEY"),
    ],
)
def test_a_proxy_that_misbehaves_is_found(headers_of, check, state, said, ask, web, tmp_path):
    with tls_proxy(tmp_path, web.port, headers_of) as (port, authority):
        (finding,) = ask(port, authority)[check]

    assert finding.state == state
    assert said in f"{finding.found} {finding.remedy}"


def test_a_proxy_that_nobody_trusts_is_found(ask, web, tmp_path):
    with tls_proxy(tmp_path, web.port, good) as (port, authority):
        found = ask(port, authority, trusted_proxies=())

    assert found["trusted_proxies"][0].state == "failed"
    assert "INSULA_TRUSTED_PROXIES" in found["trusted_proxies"][0].remedy
    assert found["forwarded"][0].state == "ok"  # by the server's own list


@pytest.mark.parametrize(
    ("hosts", "days", "state", "said"),
    [
        ((BASE,), 90, "failed", "Hostname mismatch"),
        ((BASE, f"*.{BASE}"), 14, "warning", "13 more days"),
        ((BASE, f"*.{BASE}"), 2, "failed", "1 more days"),
    ],
)
def test_a_certificate_that_does_not_last_or_cover_is_found(
    hosts, days, state, said, ask, web, tmp_path
):
    with tls_proxy(tmp_path, web.port, good, hosts=hosts, days=days) as (port, authority):
        tls = ask(port, authority)["tls"]

    assert {state} <= {finding.state for finding in tls}
    assert any(said in finding.found for finding in tls)


def test_whoever_says_nothing_is_not_waited_for(ask, tmp_path, monkeypatch):
    monkeypatch.setattr(wire, "STEP", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        tls_proxy(tmp_path, 1, good) as (_, authority),
    ):
        started = time.monotonic()
        found = ask(silent.getsockname()[1], authority)

    assert time.monotonic() - started < 3
    assert states(found)["tls"] == states(found)["proxy"] == {"failed"}
    with pytest.raises(TimeoutError):
        wire.within(lambda: time.sleep(5), seconds=0.05)


# --- names


def test_names_that_lead_nowhere_or_elsewhere_are_found(ask, tmp_path, web):
    def names(host):
        if host.startswith("t-"):
            return frozenset()
        return frozenset({"192.0.2.1" if host.startswith("platform") else "127.0.0.1"})

    with tls_proxy(tmp_path, web.port, good) as (port, authority):
        dns = ask(port, authority, names=names)["dns"]

    wrong = sorted((f.state, f.found.split(".")[0].split("-")[0]) for f in dns if f.state != "ok")
    assert wrong == [("failed", "t"), ("warning", "platform")]
    assert len(dns) == 6


def test_a_base_domain_without_an_address_ends_the_questions(settings):
    found = list(deployment.findings(settings, resolve=lambda _: frozenset()))

    assert [(f.check, f.state) for f in found if f.state != "ok"] == [
        ("dns", "failed"), ("proxy", "failed"),
    ]  # fmt: skip


def test_one_tenant_needs_two_names_and_development_no_certificate(ask, web):
    one = ask(1, "", multi_tenancy_enabled=False)
    here = ask(
        web.port, "", env="development", multi_tenancy_enabled=False, proxy_secret=None,
        trusted_proxies=("127.0.0.0/8",),
    )  # fmt: skip

    assert len(one["dns"]) == 2
    assert states(one)["tls"] == {"failed"}
    assert states(ask(1, "/dev/null")) == {"tls": {"failed"}}
    assert here["tls"][0].state == "warning"
    assert here["proxy"][0].state == here["ready"][0].state == "ok"


# --- who is told how a request arrived


@pytest.mark.parametrize(
    "proof",
    [
        None, "", "x", "1.2", "²." + "0" * 64, f"{2**70}.{'0' * 64}",
        lambda key: arrival.prove(key, time.time() - 61),
        lambda key: arrival.prove(key, time.time() + 70),
        lambda _: arrival.prove(b"another key of thirty-two bytes.", time.time()),
    ],
)  # fmt: skip
def test_strangers_are_not_told(proof, settings, web):
    text = proof(settings.hmac_key_bytes()) if callable(proof) else proof
    door = wire.Door("127.0.0.1", web.port, None)
    headers = {} if text is None else {arrival.HEADER: text.encode("latin-1", "replace")}

    answer = wire.get(door, f"ops.{BASE}", arrival.PATH, headers)

    assert (answer.status, answer.json()) == (404, {"error": "not_found"})


def test_holders_of_the_key_are_told_on_the_ops_host_alone(settings, web):
    door = wire.Door("127.0.0.1", web.port, None)
    proof = {arrival.HEADER: arrival.prove(settings.hmac_key_bytes(), time.time())}

    told = wire.get(door, f"ops.{BASE}", arrival.PATH, proof).json()

    assert told == {
        "peer": "127.0.0.1", "caller": "127.0.0.1", "proxy_secret": False, "proxy_trusted": False,
        "tenant_header_counts": False, "forwarded_for": "",
        "headers": ["accept-encoding", "host", "x-insula-check"],
    }  # fmt: skip
    assert wire.get(door, f"platform.{BASE}", arrival.PATH, proof).status == 404
