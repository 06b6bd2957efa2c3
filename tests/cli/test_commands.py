"""Every command: what it does, what it answers to a program, and how it refuses."""

import json
import secrets
import stat

import pytest
from psycopg.rows import namedtuple_row

from insula import __version__


@pytest.fixture
def look(superuser):
    superuser.row_factory = namedtuple_row
    superuser.autocommit = True

    def look(sql, *values):
        return superuser.execute(sql, values).fetchall()

    return look


def refused(answer, code):
    assert answer["error"] == code
    assert answer["detail"]
    assert "\n" not in answer["detail"]
    return answer["detail"]


# --- tenants


def test_a_tenants_life(insula, look):
    slug, domain = f"t-{secrets.token_hex(5)}", f"login.{secrets.token_hex(4)}.example"

    made = insula("tenant", "create", slug, "--name", "Acme Ltd")
    assert made["issuer"] == f"http://{slug}.localhost:8000"
    listed = {t["slug"]: t for t in insula("tenant", "list", "--limit", "1000")}
    assert listed[slug]["display_name"] == "Acme Ltd"
    assert listed[slug]["status"] == "active"
    for word, status in (("suspend", "suspended"), ("activate", "active"), ("archive", "archived")):
        assert insula("tenant", word, slug, "--reason", "a test")["status"] == status
    insula("tenant", "activate", slug)
    assert insula("tenant", "rename", slug, "Acme Inc")["display_name"] == "Acme Inc"
    added = insula("tenant", "domain", "add", slug, domain.upper() + ".", "--primary")
    assert (added["host"], added["state"]) == (domain, "pending")
    assert added["publish"].startswith(f"TXT record _insula-verify.{domain} = insula-verify=")
    proven = insula("tenant", "domain", "verify", slug, domain, "--proven-by-operator", "ours")
    assert (proven["state"], proven["primary"]) == ("verified", True)
    issuer = insula("tenant", "domain", "primary", slug, domain)["issuer"]
    assert issuer == f"http://{domain}:8000"
    (listed,) = insula("tenant", "domain", "list", slug)
    assert (listed["proven_by"], listed["primary"]) == ("admin_override", True)
    assert insula("tenant", "domain", "remove", slug, domain)["removed"] == domain
    assert insula("tenant", "domain", "end-rest", domain, "--reason", "a test")["ended"] is True
    assert insula("tenant", "domain", "end-rest", domain, "--reason", "a test")["ended"] is False

    events = look(
        "select event, actor_type, metadata from insula.audit_events where tenant_id = %s"
        " and event like 'tenant.%%' order by at",
        made["id"],
    )
    assert [row.event for row in events] == [
        "tenant.created", "tenant.suspended", "tenant.activated", "tenant.archived",
        "tenant.activated", "tenant.updated", "tenant.updated",
    ]  # fmt: skip
    assert {row.actor_type for row in events} == {"system"}
    assert events[1].metadata["reason"] == "a test"


def test_tenants_are_listed_by_page(insula, slug):
    first = insula("tenant", "list", "--limit", "1")
    second = insula("tenant", "list", "--limit", "1", "--after", first[0]["slug"])

    assert len(first) == len(second) == 1
    assert first[0]["slug"] < second[0]["slug"]
    assert slug in {t["slug"] for t in insula("tenant", "list", "--limit", "1000")}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", "admin"), "slug_reserved"),
        (("create", "xn--acme"), "slug_reserved"),
        (("create", "Acme"), "validation_failed"),
        (("create", "a_b"), None),
        (("create", "x", "--domain", "https://acme.example"), "validation_failed"),
        (("create", "x", "--domain", "10.0.0.1"), "validation_failed"),
        (("suspend", "nobody-at-all"), "tenant_not_found"),
        (("suspend", "default"), "tenant_protected"),
        (("create", "x-y-z", "--name", ""), "validation_failed"),
        (("rename", "nobody-at-all", "X"), "tenant_not_found"),
        (("domain", "add", "nobody-at-all", "x.example"), "tenant_not_found"),
        (("domain", "add", "nobody-at-all", "x.example", "--method", "fax"), "validation_failed"),
        (("domain", "verify", "default", "x.example"), "not_found"),
        (("domain", "end-rest", "x.example", "--reason", " "), "validation_failed"),
    ],
)
def test_what_no_tenant_may_be(insula, words, code):
    if code is None:  # development trusts the header, by which such a slug can be reached
        assert insula("tenant", "create", f"a_{secrets.token_hex(4)}")["issuer"]
        return
    refused(insula("tenant", *words, status=1), code)


@pytest.mark.spec("features A06")
def test_a_tenant_whose_slug_is_no_host_keeps_the_domain_that_leads_to_it(insula):
    slug, first = f"a_{secrets.token_hex(4)}", f"{secrets.token_hex(4)}.example"
    insula("tenant", "create", slug, "--domain", first, "--proven-by-operator", "ours")

    refused(insula("tenant", "domain", "remove", slug, first, status=1), "slug_not_host_safe")
    second = f"{secrets.token_hex(4)}.example"
    insula("tenant", "domain", "add", slug, second, "--primary", "--proven-by-operator", "ours")
    assert insula("tenant", "domain", "remove", slug, first)["removed"] == first


def test_a_script_can_wait_for_a_proof(insula, slug):
    domain = f"{secrets.token_hex(4)}.localhost.example"
    insula("tenant", "domain", "add", slug, domain)

    assert insula("tenant", "domain", "verify", slug, domain, status=1)["state"] == "pending"
    insula("tenant", "domain", "verify", slug, domain, "--proven-by-operator", "ours")


def test_a_slug_and_a_domain_are_given_once(insula, slug):
    domain = f"{secrets.token_hex(4)}.example"
    insula("tenant", "domain", "add", slug, domain, "--proven-by-operator", "ours")

    refused(insula("tenant", "create", slug, status=1), "slug_taken")
    other = f"t-{secrets.token_hex(5)}"
    refused(insula("tenant", "create", other, "--domain", domain, status=1), "domain_taken")
    refused(insula("tenant", "suspend", other, status=1), "tenant_not_found")  # nothing is left


# --- people


def test_a_persons_life(here, look):
    made = here("user", "add", "ada", "--email", "ada@acme.example", "--name", "Ada Lovelace")
    assert len(made["password"]) >= 20
    (person,) = here("user", "list")
    assert (person["username"], person["status"]) == ("ada", "active")
    for word in ("disabled", "enabled", "locked", "enabled"):
        command = {"disabled": "disable", "enabled": "enable", "locked": "lock"}[word]
        assert here("user", command, "ada@acme.example")["done"] == word
    assert here("user", "lock", "ada", "--minutes", "5")["done"] == "locked"
    here("user", "enable", "ada")
    assert here("user", "grant-role", "ada", "auditor")["role"] == "auditor"
    here("user", "revoke-role", "ada", "auditor")
    assert here("user", "set-password", "ada")["password"] != made["password"]

    rows = look("select role from insula.user_roles where user_id = %s", made["id"])
    assert [row.role for row in rows] == ["user"]
    (row,) = look("select * from insula.users where id = %s", made["id"])
    assert row.must_change_password
    assert row.password_hash.startswith("$argon2id$")


def test_a_lock_that_ends_by_itself_has_an_end(here, run, slug):
    here("user", "add", "ada")
    assert here("user", "lock", "ada", "--minutes", "5256000")["done"] == "locked"
    for minutes in ("5256001", "5000000000", "999999999999"):
        refused = run("user", "lock", "ada", "--minutes", minutes, "--tenant", slug)
        assert (refused.status, "--minutes" in refused.err) == (2, True)


def test_a_password_is_read_and_never_written_on_the_command_line(here):
    made = here("user", "add", "bea", "--password-stdin", stdin="a bridge of eleven planks\nmore")

    assert "password" not in made
    weak = here("user", "add", "eve", "--password-stdin", status=1, stdin="short\n")
    assert "short" not in weak["detail"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "ada"), None),
        (("disable", "nobody"), "not_found"),
        (("set-password", "nobody"), "not_found"),
        (("grant-role", "ada", "emperor"), "validation_failed"),
        (("grant-role", "ada", "platform_viewer"), "validation_failed"),
        (("add", "x", "--role", "emperor"), "validation_failed"),
        (("add", "x", "--role", "user", "--role", "platform_admin"), "validation_failed"),
        (("add", "x", "--email", "no address"), "validation_failed"),
    ],
)
def test_what_no_person_may_be(here, words, code):
    here("user", "add", "ada")

    answer = here("user", *words, status=1)

    refused(answer, code or answer["error"])


@pytest.mark.usefixtures("platform")
def test_the_platforms_own_people_have_its_roles(insula):
    viewer, home = f"vera-{secrets.token_hex(4)}", ("--tenant", "_platforms")
    assert insula("user", "add", viewer, "--role", "platform_viewer", *home)["username"] == viewer
    insula("user", "revoke-role", viewer, "platform_viewer", *home)
    assert insula("user", "grant-role", viewer, "platform_viewer", *home)["user"] == viewer


def test_the_last_administrator_stays(here):
    here("user", "add", "root", "--role", "admin")

    for words in (("disable", "root"), ("lock", "root"), ("revoke-role", "root", "admin")):
        refused(here("user", *words, status=1), "last_admin")


# --- applications


def test_an_applications_life(here):
    made = here("client", "add", "Reports", "--redirect-uri", "https://app.example/cb")
    client_id, secret = made["client_id"], made["client_secret"]
    assert secret.startswith("ins_cs_")
    (listed,) = here("client", "list")
    assert (listed["client_id"], listed["status"]) == (client_id, "active")
    shown = here("client", "show", client_id)
    assert (shown["name"], shown["redirect_uris"]) == ("Reports", ["https://app.example/cb"])
    assert secret not in str(shown)
    changed = here(
        "client", "set", client_id, "--set", "consent=skip", "--set", 'scopes=["openid"]',
        "--name", "Figures",
    )  # fmt: skip
    assert (changed["consent"], changed["scopes"]) == ("skip", ["openid"])
    for words, status in (
        (("deactivate", "--mode", "new_flows"), "paused"), (("deactivate",), "inactive"),
        (("activate",), "active"),
    ):  # fmt: skip
        assert here("client", words[0], client_id, *words[1:])["status"] == status
        assert here("client", "list")[0]["status"] == status
    renewed = here("client", "rotate-secret", client_id, "--overlap-hours", "1")
    assert renewed["client_secret"] != secret
    assert here("client", "delete", client_id, "--yes")["deleted"]

    assert here("client", "list") == []


def test_kinds_of_applications(here):
    public = here("client", "add", "App", "--public", "--redirect-uri", "https://app.example/cb")
    machine = here("client", "add", "Job", "--machine", "--client-id", "the-job")

    assert public["client_secret"] is None
    assert machine["client_id"] == "the-job"
    refused(
        here("client", "add", "Job", "--machine", "--client-id", "the-job", status=1), "name_taken"
    )
    refused(here("client", "rotate-secret", public["client_id"], status=1), "no_shared_secret")


@pytest.mark.parametrize(
    "words",
    [
        ("add", "App"),
        ("add", "App", "--redirect-uri", "http://app.example/cb"),
        ("add", "App", "--redirect-uri", "https://app.example/cb#x"),
        ("add", "App", "--machine", "--set", "no_such=1"),
        ("add", "App", "--machine", "--set", "consent"),
        ("add", "App", "--machine", "--set", "consent=maybe"),
        ("add", "App", "--machine", "--client-id", "a b"),
        ("add", "App", "--machine", "--public"),
    ],
)
def test_what_no_application_may_be(here, words):
    refused(here("client", *words, status=1), "validation_failed")


@pytest.mark.parametrize("word", ["show", "set", "deactivate", "activate", "rotate-secret"])
def test_an_application_that_is_not_there(here, word):
    refused(here("client", word, "nobody", status=1), "not_found")


def test_a_deletion_is_asked_about(run, slug, here):
    made = here("client", "add", "Job", "--machine")

    done = run("client", "delete", made["client_id"], "--tenant", slug, stdin="n\n")

    assert done.status == 1
    assert len(here("client", "list")) == 1


# --- keys


@pytest.fixture
def aged(look, slug, superuser):
    """Let time pass for the keys of the tenant."""

    def aged(interval):
        superuser.execute(
            "update insula.signing_keys set published_at = published_at - %(i)s::interval,"
            " retiring_at = retiring_at - %(i)s::interval where tenant_id ="
            " (select id from insula.tenants where slug = %(slug)s)",
            {"i": interval, "slug": slug},
        )

    assert look("select 1 from insula.tenants where slug = %s", slug)
    return aged


def states(here):
    return sorted((key["alg"], key["state"]) for key in here("keys", "list"))


@pytest.mark.usefixtures("fresh_keys")
def test_the_life_of_keys(here, aged, superuser):
    published = here("keys", "rotate")
    assert published["lead_seconds"] >= 600
    es256 = next(k for k in here("keys", "list") if k["alg"] == "ES256" and k["state"] == "next")
    kid = es256["kid"]
    refused(promoted(here, kid, 1), "adoption_behind")
    aged("601 seconds")
    behind = one_that_is_behind(here, superuser)
    assert behind in refused(promoted(here, kid, 1), "adoption_behind")
    told = {line["client_id"]: line["behind"] for line in here("keys", "adoption")}
    assert (told[behind], "unknown" in told.values()) == (True, True)
    reason = here("keys", "promote", "--override", " ", status=1, after=("--", kid))
    assert "say why" in refused(reason, "validation_failed")
    done = here("keys", "promote", "--override", "it is gone", after=("--", kid))
    assert done["state"] == "active"
    assert states(here) == [
        ("ES256", "active"), ("ES256", "retiring"), ("RS256", "active"), ("RS256", "next"),
    ]  # fmt: skip
    assert here("keys", "retire") == {"retired": []}
    aged("2 days")
    assert len(here("keys", "retire")["retired"]) == 1

    assert ("ES256", "retired") in states(here)


def one_that_is_behind(here, superuser):
    """An important application that was seen with another key."""
    client_id = here("client", "add", "Ledger", "--machine")["client_id"]
    here("client", "add", "Quiet", "--machine")
    here("client", "set", client_id, "--set", "important=true")
    superuser.execute(
        "insert into insula.key_adoption (tenant_id, client_id, how, alg, kid, last_seen)"
        " select tenant_id, id, 'used', 'ES256', 'old', now() from insula.clients"
        " where client_id = %s",
        [client_id],
    )
    return client_id


def promoted(here, kid, status):
    """Promote a key; its id may begin with a hyphen."""
    return here("keys", "promote", status=status, after=("--", kid))


def test_a_key_that_signs_does_not_retire(here):
    active = next(key for key in here("keys", "list") if key["state"] == "active")

    refused(here("keys", "retire", status=1, after=("--", active["kid"])), "last_signing_key")
    refused(here("keys", "retire", "nobodys", status=1), "not_found")
    refused(here("keys", "promote", "nobodys", status=1), "not_found")


@pytest.mark.usefixtures("fresh_keys")
def test_keys_are_generated_after_a_backup_of_the_present_ones(here, slug, tmp_path):
    target = tmp_path / "before.json"

    made = here("keys", "generate", "--alg", "EdDSA", "--backup-to", str(target))

    assert len(made["published"]) == 1
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert {row["alg"] for row in json.loads(target.read_text())} == {"RS256", "ES256"}
    again = tmp_path / "again.json"
    here("keys", "generate", "--alg", "EdDSA", "--backup-to", str(again), status=1)
    refused(here("keys", "generate", "--alg", "HS256", status=1), "validation_failed")
    assert slug


def test_a_backup_and_the_public_keys(run, here, slug, tmp_path):
    target = tmp_path / "keys.json"

    assert here("keys", "backup", "--out", str(target))["keys"] == 2
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "PRIVATE" not in target.read_text()
    refused(here("keys", "backup", "--out", str(target), status=1), "validation_failed")

    jwks = run("keys", "download", "--tenant", slug).json
    assert {key["alg"] for key in jwks["keys"]} == {"RS256", "ES256"}
    for key in jwks["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


# --- who is spoken to


@pytest.mark.parametrize("words", [("user", "list"), ("client", "list"), ("keys", "list")])
def test_a_tenant_must_be_named_and_exist(insula, words):
    assert "tenant" in refused(insula(*words, status=1), "validation_failed")
    refused(insula(*words, "--tenant", "nobody-at-all", status=1), "tenant_not_found")


def test_in_single_tenant_mode_it_is_the_one(insula, monkeypatch):
    monkeypatch.setenv("INSULA_MULTI_TENANCY_ENABLED", "false")

    assert isinstance(insula("user", "list"), list)
    made = insula("admin", "bootstrap", "--email", "first@acme.example")
    assert made["tenant"] == "default"


def test_one_tenants_people_are_not_anothers(here, insula):
    here("user", "add", "ada")
    other = f"t-{secrets.token_hex(5)}"
    insula("tenant", "create", other)

    assert insula("user", "list", "--tenant", other) == []
    refused(insula("user", "disable", "ada", "--tenant", other, status=1), "not_found")


@pytest.mark.parametrize(
    "words", [("tenant",), ("nonsense",), ("tenant", "create"), ("tenant", "list", "--limit", "0")]
)
def test_what_is_not_understood_ends_with_two(run, words):
    assert run(*words).status == 2


def test_the_version(run):
    assert run("version").out == f"insula {__version__}\n"


def test_people_get_tables_and_sentences(run, slug, here):
    here("user", "add", "ada", "--email", "a-rather-long-address-of-ada-lovelace@acme.example")

    table = run("user", "list", "--tenant", slug).out
    assert "a-rather-long-address-of-ada-lovelace@acme.example" in table  # nothing is folded
    assert "username" in table
    refusal = run("user", "disable", "nobody", "--tenant", slug)
    assert refusal.out == ""
    assert refusal.err.startswith("insula: ")
    assert refusal.err.count("\n") == 1
