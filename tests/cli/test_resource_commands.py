"""APIs, scopes, claims and previews, by command."""

import pytest

API = "https://api.example"


def test_an_apis_life(here):
    made = here("resource-server", "add", API, "--name", "Reports", "--set", "max_age=60")
    assert (made["name"], made["max_age"]) == ("Reports", 60)
    here("scope", "add", "reports:read", "--resource-server", API, "--title", "Read")
    assert here("resource-server", "set", API, "--set", "token_format=opaque")["max_age"] == 60
    shown = here("resource-server", "show", API)
    assert (shown["token_format"], shown["scopes"]) == ("opaque", ["reports:read"])
    (listed,) = here("resource-server", "list")
    assert listed == shown

    app = here(
        "client", "add", "App", "--redirect-uri", "https://app.example/cb",
        "--set", f'resources=["{API}"]', "--set", 'scopes=["openid", "reports:read"]',
    )["client_id"]  # fmt: skip
    refused = here("resource-server", "delete", API, status=1)
    assert refused["error"] == "has_children"
    assert app in refused["detail"]
    assert here("resource-server", "delete", API, "--force") == {"deleted": API, "clients": [app]}
    assert here("resource-server", "list") == here("scope", "list") == []


def test_what_a_client_would_be_told(here):
    here("claim", "map", "department", "dept")
    here("scope", "add", "work", "--claim", "department")
    here("scope", "set", "work", "--title", "Your work")
    (listed,) = here("scope", "list")
    assert (listed["name"], listed["title"], listed["claims"]) == (
        "work",
        "Your work",
        ["department"],
    )
    assert here("claim", "list") == [{"claim": "department", "attribute": "dept"}]
    here("user", "add", "ada")
    here("user", "set", "ada", "dept=Engines")
    app = here(
        "client", "add", "App", "--redirect-uri", "https://app.example/cb",
        "--set", 'scopes=["openid", "work", "profile"]',
    )["client_id"]  # fmt: skip

    shown = here("client", "preview", app, "--user", "ada", "--scope", "openid work")

    assert shown["userinfo"]["department"] == "Engines"
    assert "name" not in shown["userinfo"]
    assert here("client", "preview", app, "--user", "ada")["userinfo"]["name"] == "ada"
    refused = here("claim", "unmap", "department", status=1)
    assert refused["error"] == "has_children"
    assert here("scope", "delete", "work", "--force")["clients"] == [app]
    assert here("claim", "unmap", "department") == {"deleted": "department"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("resource-server", "add", "api", "--name", "x"), "validation_failed"),
        (
            ("resource-server", "add", API, "--name", "x", "--set", "max_age=-1"),
            "validation_failed",
        ),
        (("resource-server", "add", API, "--name", "x", "--set", "max_age"), "validation_failed"),
        (("resource-server", "show", API), "not_found"),
        (("resource-server", "delete", API), "not_found"),
        (("scope", "add", "openid"), "validation_failed"),
        (("scope", "add", "x", "--claim", "made_up"), "validation_failed"),
        (("scope", "delete", "x"), "not_found"),
        (("claim", "map", "sub", "x"), "validation_failed"),
        (("claim", "unmap", "x"), "not_found"),
        (("client", "preview", "x", "--user", "x"), "not_found"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(here, words, code):
    answer = here(*words, status=1)
    assert answer["error"] == code
    assert "\n" not in answer["detail"]


def test_a_client_is_given_keys_from_a_file_and_vouched_for(here, tmp_path):
    keys = tmp_path / "jwks.json"
    keys.write_text('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "%s"}]}' % ("A" * 43))
    app = here(
        "client", "add", "App", "--redirect-uri", "https://app.example/cb", "--jwks", str(keys),
        "--set", "token_endpoint_auth_method=private_key_jwt",
    )  # fmt: skip
    assert app["client_secret"] is None
    changed = here(
        "client", "set", app["client_id"], "--set", "token_endpoint_auth_method=client_secret_post"
    )
    assert changed["client_secret"].startswith("ins_cs_")
    assert here("client", "verify", app["client_id"])["verified"]
    refused = here("client", "unverify", app["client_id"], status=1)
    assert refused["error"] == "validation_failed"
    keys.write_text("no JSON")
    refused = here("client", "set", app["client_id"], "--jwks", str(keys), status=1)
    assert refused["detail"].startswith("jwks: ")
