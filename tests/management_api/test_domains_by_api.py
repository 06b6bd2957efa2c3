"""Login domains over the API: begun, checked, vouched for, refused, and at once for everybody."""

import time

import pytest
from callers import name, refusal


@pytest.fixture
def house(platform):
    """A new tenant's hosts, and its slug."""
    slug = name()
    assert platform.post("/tenants", {"slug": slug, "display_name": "House"}).status_code == 201
    return f"/tenants/{slug}/hosts", slug


def issuer_at(product, host):
    """What a tenant's document says on *host*, once a process has heard of it."""
    with product.http() as http:
        answer = http.get(
            f"{product.server.url}/.well-known/openid-configuration",
            headers={"host": f"{host}:{product.server.port}"},
        )
    return answer.json()["issuer"] if answer.status_code == 200 else answer.status_code


def soon(product, host, wanted):
    deadline = time.monotonic() + 5
    while (found := issuer_at(product, host)) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


@pytest.mark.spec("features A08", "features T01", "features A13", "security 108")
def test_a_domain_leads_nowhere_until_it_is_proven(platform, programs, house, name_server):
    where, slug = house
    product, host = programs.product, f"login.{slug}.example"
    added = platform.post(where, {"host": f"{host.upper()}.", "make_primary": True})

    assert added.status_code == 201
    domain = added.json()
    assert (domain["host"], domain["state"], domain["primary"]) == (host, "pending", False)
    record, value = domain["proof"]["dns_name"], domain["proof"]["dns_value"]
    assert record == f"_insula-verify.{host}"
    assert value == f"insula-verify={domain['token']}"
    assert issuer_at(product, host) == 404  # and that it is unknown here is remembered
    assert platform.get(f"/tenants/{slug}").json()["domain"] is None

    missing = platform.post(f"{where}/{host}/verify").json()
    assert (missing["state"], missing["found"]) == ("pending", f"No TXT record at {record}.")
    assert missing["last_checked"]
    name_server.texts[record] = ["v=spf1 -all", "insula-verify=another"]
    wrong = platform.post(f"{where}/{host}/verify").json()
    assert "found: “insula-verify=another”, “v=spf1 -all”." in wrong["found"]
    lines = product.audit(slug, "domain.verification_failed", target_id=host)
    assert lines[0].metadata["found"] == wrong["found"]

    name_server.texts[record] = [value]
    proven = platform.post(f"{where}/{host}/verify").json()
    assert (proven["state"], proven["proven_by"], proven["primary"]) == ("verified", "dns", True)
    issuer = f"http://{host}:{product.server.port}"
    soon(product, host, issuer)
    assert platform.get(f"/tenants/{slug}").json()["issuer"] == issuer
    (line,) = product.audit(slug, "domain.verified", target_id=host)
    assert (line.actor_type, line.metadata["method"]) == ("platform", "dns")
    with product.http() as http:
        file = http.get(
            f"{product.server.url}/.well-known/insula-verify-{domain['token']}.txt",
            headers={"host": host},
        )
        other = http.get(
            f"{product.server.url}/.well-known/insula-verify-{'0' * 40}.txt",
            headers={"host": host},
        )
    assert (file.status_code, file.text) == (200, value)
    assert other.status_code == 404


@pytest.mark.spec("features A08", "security 108")
def test_two_may_try_and_who_proves_first_has_it(platform, house, name_server):
    where, _ = house
    host, other = f"login.{name()}.example", name()
    platform.post("/tenants", {"slug": other, "display_name": "Other"})
    first = platform.post(where, {"host": host}).json()
    second = platform.post(f"/tenants/{other}/hosts", {"host": host}).json()
    assert first["token"] != second["token"]
    record = first["proof"]["dns_name"]
    name_server.texts[record] = [first["proof"]["dns_value"], second["proof"]["dns_value"]]

    assert platform.post(f"/tenants/{other}/hosts/{host}/verify").json()["state"] == "verified"
    refusal(platform.post(f"{where}/{host}/verify"), 409, "domain_taken")
    (kept,) = platform.get(where).json()["data"]
    assert kept["found"] == "The proof is good. The domain belongs to another tenant."
    third = name()
    platform.post("/tenants", {"slug": third, "display_name": "Third"})
    refusal(platform.post(f"/tenants/{third}/hosts", {"host": host}), 409, "domain_taken")


@pytest.mark.spec("features Z03", "features T02", "features A08")
def test_what_is_refused(platform, programs, house):
    where, slug = house
    host = f"login.{slug}.example"
    for wanted, status, code in (
        ({"host": "127.0.0.1"}, 422, "validation_failed"),
        ({"host": "x.localhost"}, 422, "validation_failed"),
        ({"host": host, "method": "fax"}, 422, "validation_failed"),
        ({"host": host, "proven": True}, 422, "validation_failed"),
        ({"host": host, "override_reason": " "}, 422, "validation_failed"),
    ):
        refusal(platform.post(where, wanted), status, code)
    (error,) = platform.post(where, {"host": "127.0.0.1"}).json()["errors"]
    assert error["field"] == "host"
    assert platform.get(where).json() == {"data": []}
    refusal(platform.post(f"/tenants/{name()}/hosts", {"host": host}), 404, "tenant_not_found")
    platform.post(where, {"host": host, "method": "file"})
    refusal(platform.post(where, {"host": host}), 409, "domain_taken")
    refusal(platform.post(f"{where}/{host}/primary"), 409, "duplicate")
    refusal(platform.post(f"{where}/x.{host}/verify"), 404, "not_found")
    refusal(platform.delete(f"{where}/x.{host}"), 404, "not_found")

    writer = programs.make("_platforms", ["tenants:write"])
    reason = {"override_reason": "known to us"}
    for refused in (
        writer.post(f"{where}/{host}/verify", reason),
        writer.post(where, {"host": f"x.{host}", **reason}),
        writer.patch(f"/tenants/{slug}", {"domain": f"x.{host}", **reason}),
        writer.post(
            "/tenants", {"slug": name(), "display_name": "N", "domain": f"x.{host}", **reason}
        ),
    ):
        refusal(refused, 403, "forbidden")
    assert platform.post(f"{where}/{host}/verify", reason).json()["state"] == "verified"


@pytest.mark.spec("security 108", "features D06")
def test_a_domain_that_was_taken_away_rests(platform, house):
    where, slug = house
    host, other = f"login.{slug}.example", name()
    platform.post("/tenants", {"slug": other, "display_name": "Other"})
    ours = {"host": host, "override_reason": "known to us"}
    platform.post(where, ours)
    assert platform.delete(f"{where}/{host}").status_code == 204

    answer = platform.post(f"/tenants/{other}/hosts", {"host": host})
    refusal(answer, 409, "domain_taken")
    assert "until lately" in answer.text
    assert platform.post(where, ours).json()["state"] == "verified"
    moved = platform.patch(f"/tenants/{slug}", {"domain": f"b.{host}"}).json()
    assert moved["domain"] is None
    states = {each["host"]: each for each in platform.get(where).json()["data"]}
    assert states[f"b.{host}"]["state"] == "pending"
    assert states[f"b.{host}"]["make_primary"] is True


@pytest.mark.spec("features CR-6", "features A08")
def test_a_domain_is_vouched_for_made_the_issuers_or_taken_away_with_step_up_alone(
    platform, programs, house
):
    where, slug = house
    host, reason = f"login.{slug}.example", {"override_reason": "ours"}
    plain = programs.make("_platforms", ["tenants:write", "cross-tenant:write"], dangerous=False)
    one = f"/tenants/{slug}"

    def refused(*answers):
        for answer in answers:
            refusal(answer, 401, "step_up_required")

    refused(
        plain.post(where, {"host": host, **reason}),
        plain.patch(one, {"domain": host, **reason}),
        plain.post("/tenants", {"slug": name(), "name": "N", "domain": host, **reason}),
    )
    assert platform.get(where).json() == {"data": []}
    assert plain.post(where, {"host": host}).status_code == 201  # it leads nowhere yet
    assert plain.post(f"{where}/{host}/verify").status_code == 200
    refused(plain.post(f"{where}/{host}/verify", reason))
    platform.post(f"{where}/{host}/verify", reason)

    refused(
        plain.post(f"{where}/{host}/primary"),
        plain.patch(one, {"domain": host.upper()}),
        plain.delete(f"{where}/{host}"),
    )
    assert plain.patch(one, {"name": "Home", "domain": None}).status_code == 200  # as it was
    assert platform.post(f"{where}/{host}/primary").status_code == 200
    refused(plain.patch(one, {"domain": None}), plain.delete(f"{where}/{host}"))
    assert plain.patch(one, {"domain": host}).status_code == 200  # as it is
    assert plain.patch(one, {"domain": f"b.{host}"}).json()["domain"] == host  # until b is proven


@pytest.mark.spec("features A13", "features T01")
def test_a_domain_that_is_proven_after_another_was_chosen_is_not_the_issuers(platform, house):
    where, slug = house
    first, chosen = f"old.{slug}.example", f"new.{slug}.example"
    reason = {"override_reason": "ours"}
    primary = f"{where}/{chosen}/primary"
    platform.post(where, {"host": chosen, **reason})
    for choose, issuers in (
        (lambda: platform.post(primary), chosen),
        (lambda: platform.patch(f"/tenants/{slug}", {"domain": None}), None),
        (lambda: platform.patch(f"/tenants/{slug}", {"domain": chosen}), chosen),
    ):
        wish = platform.post(where, {"host": first, "make_primary": True}).json()
        assert wish["make_primary"] is True
        assert choose().status_code == 200
        states = {each["host"]: each for each in platform.get(where).json()["data"]}
        assert states[first]["make_primary"] is False

        proven = platform.post(f"{where}/{first}/verify", reason).json()

        assert (proven["state"], proven["primary"]) == ("verified", False)
        assert platform.get(f"/tenants/{slug}").json()["domain"] == issuers
        platform.delete(f"{where}/{first}")
