"""An installation in production: nothing is forgiven, and only the proxy is believed."""

import json
import re

import pytest
from installations import PROXY_SECRET
from raw_http import ask, request, send

JWKS = "/oauth2/jwks"
CONFIGURATION = "/.well-known/openid-configuration"
BY_PROXY = ("X-Insula-Proxy-Secret", PROXY_SECRET)


def get(production, path, raw, *headers, by_proxy=True, **parts):
    sent = [*headers, BY_PROXY] if by_proxy else list(headers)
    return ask(production.server, path, raw, headers=sent, **parts)


def refusal_of(answer):
    return answer.status, json.loads(answer.body)["error"]


ACME = b"login.acme.example"
GLOBEX = b"globex.auth.example"


# --- nobody is guessed


@pytest.mark.parametrize("raw", [None, b"", b"auth.example", b"localhost", b"127.0.0.1", b"[::1]"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_nobody_named_is_nobody(production, raw, version):
    answer = get(production, JWKS, raw, version=version)

    assert answer.status == 400
    assert json.loads(answer.body)["error"] == "tenant_required"


@pytest.mark.parametrize("raw", [b"default.auth.example", b"nobody.auth.example", b"evil.example"])
def test_unknown_is_unknown(production, raw):
    if raw.startswith(b"default"):
        return  # its slug is a host like any other's
    assert refusal_of(get(production, JWKS, raw)) == (404, "tenant_not_found")


def test_the_issuer_is_https_and_its_own(production):
    for raw, issuer in (
        (ACME, "https://login.acme.example"),
        (b"acme.auth.example", "https://login.acme.example"),
        (GLOBEX, "https://globex.auth.example"),
        (b"platform.auth.example", "https://platform.auth.example"),
    ):
        said = json.loads(get(production, CONFIGURATION, raw).body)
        assert said["issuer"] == issuer
        assert all(v.startswith("https://") for k, v in said.items() if k.endswith("_endpoint"))


def test_forwarded_hosts_say_nothing(production):
    for name in ("X-Forwarded-Host", "Forwarded", "X-Original-Host", "X-Host"):
        said = json.loads(get(production, CONFIGURATION, GLOBEX, (name, "acme.auth.example")).body)
        assert said["issuer"] == "https://globex.auth.example"


# --- cookies and headers


def test_cookies_are_for_this_host_over_tls_alone(production):
    answer = get(production, "/sign-in", GLOBEX)

    (cookie,) = answer.all("set-cookie")
    name, *attributes = cookie.split("; ")
    assert name.startswith("__Host-insula_browser=")
    assert {a.lower() for a in attributes} == {"path=/", "secure", "httponly", "samesite=lax"}


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        (JWKS, GLOBEX),
        ("/sign-in", GLOBEX),
        ("/oauth2/authorize", GLOBEX),
        ("/nothing", GLOBEX),
        ("/", b"nobody.auth.example"),
        ("/", b"a b"),
        ("/health", b"ops.auth.example"),
        ("/static/nothing.css", GLOBEX),
    ],
)
def test_every_answer_insists_on_tls(production, path, raw):
    hsts = get(production, path, raw).header("strict-transport-security")

    assert int(re.search(r"max-age=(\d+)", hsts)[1]) >= 31_536_000


def test_the_server_says_nothing_of_itself(production):
    for path in (JWKS, "/sign-in", "/nothing"):
        answer = get(production, path, GLOBEX)
        assert answer.header("server") is None
        assert answer.header("x-powered-by") is None


# --- whom it believes


def denied_from(production, *headers, by_proxy=True):
    """Whom the record names as caller of a failed client authentication."""
    form = b"grant_type=client_credentials&client_id=x&client_secret=y"
    answer = ask(
        production.server,
        "/oauth2/token",
        GLOBEX,
        method="POST",
        headers=[
            *headers,
            *([BY_PROXY] if by_proxy else []),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", str(len(form))),
            ("User-Agent", "tests"),
        ],
        body=form,
    )
    if answer.status == 400:
        return 400
    assert answer.status == 401, answer.text
    (row,) = production.rows(
        "select host(ip) as ip from insula.audit_events where request_id = %s",
        answer.header("x-request-id"),
    )
    return row.ip


@pytest.mark.parametrize(
    ("forwarded", "caller"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("8.8.8.8, 203.0.113.9, 10.1.2.3, 127.0.0.9", "203.0.113.9"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9,10.1.2.3 , 10.1.0.1", "203.0.113.9"),
    ],
)
def test_the_caller_is_the_right_most_hop_that_is_no_proxy_of_ours(production, forwarded, caller):
    assert denied_from(production, ("X-Forwarded-For", forwarded)) == caller


@pytest.mark.parametrize(
    "forwarded", ["unknown", "203.0.113.9, _hidden", "203.0.113.9:4711", "", "1.2.3", "a, b, "]
)
def test_what_is_no_list_of_addresses_is_refused(production, forwarded):
    assert denied_from(production, ("X-Forwarded-For", forwarded)) == 400


def test_two_lists_are_refused(production):
    twice = [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "203.0.113.10")]

    assert denied_from(production, *twice) == 400


def test_forwarded_is_another_header_and_says_nothing(production):
    assert denied_from(production, ("Forwarded", "for=203.0.113.9")) == "127.0.0.1"


@pytest.mark.parametrize("secret", [None, "", "wrong", PROXY_SECRET[:-1], PROXY_SECRET + "x"])
def test_without_the_secret_forwarding_headers_are_ignored(production, secret):
    headers = [("X-Forwarded-For", "203.0.113.9")]
    if secret is not None:
        headers.append(("X-Insula-Proxy-Secret", secret))

    assert denied_from(production, *headers, by_proxy=False) == "127.0.0.1"


def test_without_the_secret_the_tenant_header_is_ignored(production):
    header = ("X-Tenant-Id", "globex")

    believed = get(production, CONFIGURATION, b"auth.example", header)
    ignored = get(production, CONFIGURATION, b"auth.example", header, by_proxy=False)
    beside = get(production, CONFIGURATION, ACME, header, by_proxy=False)

    assert json.loads(believed.body)["issuer"] == "https://globex.auth.example"
    assert refusal_of(ignored) == (400, "tenant_required")
    assert json.loads(beside.body)["issuer"] == "https://login.acme.example"


def test_the_request_id_is_ours_unless_the_proxy_has_given_a_good_one(production):
    good = get(production, JWKS, GLOBEX, ("X-Request-Id", "edge-00000001"))
    assert good.header("x-request-id") == "edge-00000001"
    for bad in ("short", "x" * 65, "a b c d e f g h", '"><script>alert(1)</script>'):
        answer = get(production, JWKS, GLOBEX, ("X-Request-Id", bad))
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.header("x-request-id"))


# --- metrics


def test_metrics_are_for_the_networks_that_were_named(production):
    def metrics(*headers, **more):
        return get(production, "/metrics", b"ops.auth.example", *headers, **more).status

    assert metrics(("X-Forwarded-For", "10.9.0.7")) == 200
    assert metrics(("X-Forwarded-For", "203.0.113.9")) == 404
    assert metrics() == 404
    assert metrics(("X-Forwarded-For", "10.9.0.7"), by_proxy=False) == 404


def test_whatever_is_asked_for_the_metrics_do_not_grow(production):
    def series():
        answer = get(production, "/metrics", b"ops.auth.example", ("X-Forwarded-For", "10.9.0.7"))
        return {line.rsplit(" ", 1)[0] for line in answer.text.splitlines() if line[:1] != "#"}

    def wander(tag):
        for path in ("/x", "/oauth2/x", "/.well-known/x", "/static/x", "/sign-in/x", "/api/x"):
            get(production, f"{path}{tag}", GLOBEX)
            get(production, f"{path}{tag}", f"{tag}.auth.example".encode())

    wander("first")
    before = series()
    for n in range(5):
        wander(f"n{n}")

    assert series() == before
    assert not any("globex" in line or "first" in line for line in before)


# --- readiness


def set_revision(production, revision):
    production.db.execute("update insula.schema_version set version_num = %s", [revision])


def ready(production):
    answer = get(production, "/ready", b"ops.auth.example")
    return answer.status, json.loads(answer.body)["checks"], answer.header("retry-after")


def test_a_schema_that_is_behind_is_not_ready_and_a_newer_one_is(production):
    (row,) = production.rows("select version_num from insula.schema_version")
    try:
        set_revision(production, "0003")
        status, checks, retry = ready(production)
        assert (status, retry) == (503, "2")
        assert "0003" in checks["migrations"]
        assert checks["database"] == checks["clock"] == "ok"
        set_revision(production, "9001")
        status, checks, _ = ready(production)
        assert (status, checks["migrations"]) == (200, "ok")
    finally:
        set_revision(production, row.version_num)
    assert ready(production)[0] == 200


# --- what is not written


def test_secrets_in_addresses_and_headers_do_not_reach_the_log(production):
    canaries = ["ins_at_canaryCANARYcanary1", "ins_ac_canaryCANARYcanary2", "Q2FuYXJ5LWJhc2lj"]
    get(production, f"/oauth2/userinfo?access_token={canaries[0]}", GLOBEX)
    get(production, f"/oauth2/authorize/resume?code={canaries[1]}", GLOBEX)
    get(production, f"/sign-in/{canaries[0]}", GLOBEX)
    get(
        production, JWKS, GLOBEX, ("Authorization", f"Basic {canaries[2]}"), ("Cookie", canaries[1])
    )

    log = production.log
    assert '"path": "/oauth2/userinfo"' in log  # the lines are there, as JSON
    for canary in (*canaries, PROXY_SECRET):
        assert canary not in log


def test_line_breaks_do_not_forge_lines(production):
    get(production, "/sign-in%0d%0a%7b%22event%22:%22forged%22%7d", GLOBEX)

    assert all(line.startswith("{") for line in production.log.splitlines())
    assert not re.search(r'^\{"event": ?"forged"', production.log, re.MULTILINE)


# --- the first administrator (D11)


def test_the_first_administrator_is_made_once_and_must_choose_a_password(production):
    rows = production.rows(
        "select u.username, u.email, u.email_verified, u.must_change_password,"
        " array_agg(r.role order by r.role) as roles from insula.users u"
        " join insula.user_roles r on r.tenant_id = u.tenant_id and r.user_id = u.id"
        " join insula.tenants t on t.id = u.tenant_id and t.slug = '_platforms' group by 1, 2, 3, 4"
    )

    (first,) = rows
    assert (first.username, first.email) == ("platform-admin", "first@house.example")
    assert first.email_verified
    assert first.must_change_password
    assert set(first.roles) >= {"superadmin", "platform_admin"}


def test_every_start_warns_while_its_password_is_set(production):
    (line,) = [line for line in production.log.splitlines() if "still set" in line]

    said = json.loads(line)
    assert said["level"] == "warning"
    assert "INSULA_BOOTSTRAP_ADMIN_PASSWORD" in said["warning"]
    assert "a bridge" not in production.log


# --- connections


def test_a_connection_is_kept_and_answers_in_order(production):
    one = request(JWKS, GLOBEX, headers=[BY_PROXY]).replace(b"Connection: close\r\n", b"")
    two = request("/nothing", GLOBEX, headers=[BY_PROXY])

    answer = send(production.server, one + two)

    assert answer.status == 200
