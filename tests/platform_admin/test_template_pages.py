"""Templates on pages: made from a tenant, saved anew, chosen for a new tenant, deleted."""

import secrets

import pytest
from pressing import submit

AT = "/platform/templates"


@pytest.mark.spec("features D04", "features D10")
def test_a_template_is_made_chosen_saved_anew_and_deleted_with_its_name_typed(
    product, browser, viewing, at, tenant
):
    product.change(
        "insert into insula.tenant_settings (tenant_id, section, value) values (%s, 'oidc.ttl',"
        """ '{"id_token": 300}')""", product.tenant_id(tenant),
    )  # fmt: skip
    name = f"t{secrets.token_hex(5)}"
    form = browser.open(at(f"/platform/tenants/{tenant}/config/history"))
    assert f"{AT}/new?from={tenant}" in form.response.text
    blank = browser.open(at(f"{AT}/new?from={tenant}"))
    assert f"These are the settings of {tenant}" in blank.text
    document = '{\n  "oidc.ttl": {\n    "id_token": 300\n  }\n}'
    for typed, status, said in (
        ({"name": "Not a name"}, 422, "Lower-case letters"),
        ({"name": name, "document": "{"}, 422, "This is not JSON"),
        ({"name": name, "document": "[]"}, 422, "An object of sections"),
        ({"name": name, "document": '{"oidc.ttl": {"id_token": 1}}'}, 422, "Token lifetimes: Id"),
    ):
        refused = submit(browser, blank, f"{AT}/new", **{"document": document, **typed})
        assert refused.status == status
        assert said.lower() in refused.text.lower(), refused.text
    made = submit(
        browser, blank, f"{AT}/new", name=name, description="For banks", document=document
    )
    assert made.path == f"{AT}/{name}"
    assert "Token lifetimes: ID token" in made.text
    taken = submit(browser, blank, f"{AT}/new", name=name, document="{}")
    assert (taken.status, "There is a template of that name" in taken.text) == (409, True)
    assert f"{name} For banks" in viewing.open(at(AT)).text
    assert "Save version" not in viewing.open(at(f"{AT}/{name}")).text

    new = browser.open(at("/platform/tenants/new"))
    assert f"{name}: For banks" in new.text
    slug = f"pa-{secrets.token_hex(5)}"
    unknown = submit(
        browser, new, "/tenants/new", slug=slug, display_name="Born", template="not-there"
    )
    assert (unknown.status, "There is no such template" in unknown.text) == (422, True)
    product.change(
        "insert into insula.platform_settings (section, bounds)"
        """ values ('oidc.ttl', '{"id_token": 200}')
            on conflict (section) do update set bounds = excluded.bounds"""
    )
    beyond = submit(browser, new, "/tenants/new", slug=slug, display_name="Born", template=name)
    product.change("delete from insula.platform_settings")
    assert (beyond.status, "Its oidc.ttl.id_token cannot be" in beyond.text) == (422, True)
    submit(browser, new, "/tenants/new", slug=slug, display_name="Born", template=name)
    born = browser.open(at(f"/platform/tenants/{slug}/config/oidc.ttl"))
    assert f"from the template {name} v1" in born.text

    early, late = browser.open(at(f"{AT}/{name}")), browser.open(at(f"{AT}/{name}"))
    wrong = submit(browser, early, f"{AT}/{name}", document='{"made.up": {}}')
    assert (wrong.status, "no such section" in wrong.text) == (422, True)
    assert "Version 2" in submit(browser, early, f"{AT}/{name}", document="{}").text
    lost = submit(browser, late, f"{AT}/{name}", document='{"oidc.ttl": {"id_token": 400}}')
    assert (lost.status, "Somebody has saved this template" in lost.text) == (409, True)

    asked = browser.open(at(f"{AT}/{name}/delete"))
    refused = submit(browser, asked, f"{name}/delete", typed="something")
    assert (refused.status, f"Type {name} to confirm." in refused.text) == (422, True)
    assert "Deleted." in submit(browser, asked, f"{name}/delete", typed=name).text
    assert browser.open(at(f"{AT}/{name}")).status == 404


@pytest.mark.spec("features D10")
def test_all_that_is_wrong_with_a_template_is_told_at_once_and_each_at_its_place(browser, at):
    page = browser.open(at(f"{AT}/new"))
    refused = submit(
        browser, page, "/new", name="X" * 63, document='{"security.session": {"nosuch": 1}}'
    )
    unread = submit(browser, page, "/new", name="X" * 63, description="a\u0007b", document="{bad")

    assert refused.status == unread.status == 422
    assert refused.links.count("#name") == refused.links.count("#document") == 1
    assert [unread.links.count(f"#{each}") for each in ("name", "description", "document")] == [
        1, 1, 1,
    ]  # fmt: skip
    html = refused.response.text
    note = html[html.index('id="document-note"') :].partition("</div>")[0]
    assert "security.session.nosuch: " in note
    assert "Bounds count when" not in note
    assert "Bounds count when" in page.text
