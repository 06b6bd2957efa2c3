"""Links by which people choose a password, by command."""

import psycopg
import pytest

from insula.tenancy.models import PLATFORMS


@pytest.fixture
def look(database):
    with psycopg.connect(database.superuser, autocommit=True) as db:
        yield lambda sql, *values: db.execute(sql, values).fetchall()


def roles_of(look, user_id):
    return {
        role for (role,) in look("select role from insula.user_roles where user_id = %s", user_id)
    }


@pytest.mark.spec("features F21", "features D11")
def test_the_first_who_runs_the_platform_comes_by_a_link(insula, look):
    made = insula("admin", "bootstrap", "--email", "first@platform.example")
    again = insula("admin", "bootstrap", "--email", "FIRST@platform.example")

    assert made["tenant"] == PLATFORMS
    assert made["activation_url"].startswith("http://platform.localhost:8000/sign-in/activate?")
    assert again["id"] == made["id"]
    assert again["activation_url"] != made["activation_url"]
    assert roles_of(look, made["id"]) == {"superadmin", "platform_admin"}
    ends = look(
        "select ended_for from insula.activation_links where user_id = %s order by created_at",
        made["id"],
    )
    assert ends == [("replaced",), (None,)]
    corrected = insula("admin", "bootstrap", "--email", "second@platform.example")
    left = look(
        "select ended_for from insula.activation_links where user_id = %s and ended_for is null",
        made["id"],
    )
    assert not left  # what was sent to a wrong address opens nothing

    # as if they had followed it
    look("update insula.users set password_hash = 'x' where id = %s returning id", made["id"])
    refused = insula("admin", "bootstrap", "--email", "other@platform.example", status=1)
    assert "Somebody administers _platforms already." in refused["detail"]
    assert not look("select id from insula.users where email = 'other@platform.example'")
    for each in (made, corrected):
        look("delete from insula.users where id = %s returning id", each["id"])


@pytest.mark.spec("features F21", "features D04")
def test_a_tenants_first_administrator_comes_by_a_link(run, insula, here, look, slug):
    made = here("admin", "bootstrap", "--email", "ada@acme.example")
    assert made["tenant"] == slug
    assert roles_of(look, made["id"]) == {"superadmin"}
    new = insula("tenant", "create", f"{slug}-b", "--admin-email", "bea@acme.example")
    assert new["first_admin"]["email"] == "bea@acme.example"
    assert new["first_admin"]["activation_url"].startswith(f"{new['issuer']}/sign-in/activate?")
    refused = insula("tenant", "create", f"{slug}-c", "--admin-email", "bea", status=1)
    assert refused["error"] == "validation_failed"
    assert not look("select * from insula.tenants where slug = %s", f"{slug}-c")

    said = run("admin", "bootstrap", "--email", "ada@acme.example", "--tenant", slug)
    assert "The link is shown once:\nhttp://" in said.out
    assert "ada@acme.example chooses a password here, once, until" in said.out
    assert here("admin", "bootstrap", "--email", "nobody", status=1)["error"] == "validation_failed"


@pytest.mark.spec("features F21")
def test_somebody_gets_a_new_link(run, here, slug):
    here("user", "add", "ada", "--email", "ada@acme.example")

    link = here("user", "activation-link", "ada@acme.example")
    said = run("user", "activation-link", "ada", "--tenant", slug)

    assert f"http://{slug}.localhost:8000/sign-in/activate?token=ins_al_" in link["activation_url"]
    assert "/sign-in/activate?token=ins_al_" in said.out
    assert link["activation_url"] not in said.out
    here("user", "disable", "ada")
    assert here("user", "activation-link", "ada", status=1)["error"] == "duplicate"
    assert here("user", "activation-link", "nobody", status=1)["error"] == "not_found"
