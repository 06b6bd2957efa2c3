"""Tenants are listed, searched, taken away as a file, and made."""

import csv
import io
import re
import secrets
from datetime import UTC

import pytest
from administrators import signed_in
from pressing import submit
from purging import purge_now

from insula.deletion import service as deletion
from insula.platform_admin.guard import FAVOURITES_COOKIE, RECENT_COOKIE
from insula.tenants.domains import service as domains


def slugs_on(page):
    """The tenants of a list, in its order."""
    return slugs_in(page.response.text)


def slugs_in(html):
    return re.findall(r'class="title" href="/platform/tenants/([^"]+)"', html)


@pytest.fixture(scope="module")
def word(product):
    """The beginning of thirty slugs."""
    word = f"w{secrets.token_hex(4)}"
    product.change(
        """
        insert into insula.tenants (id, slug, display_name, status)
        select gen_random_uuid(), %s || '-' || lpad(n::text, 2, '0'), '=' || n || ' of many',
               case n when 5 then 'archived' when 6 then 'suspended' else 'active' end
          from generate_series(1, 30) n
        """,
        word,
    )
    yield word
    product.change("delete from insula.tenants where slug like %s", f"{word}-%")


@pytest.fixture
def create(browser, at):
    """Fill in the form that makes a tenant."""

    def create(**typed):
        page = browser.open(at("/platform/tenants/new"))
        form = next(form for form in page.forms if form.action == "/platform/tenants/new")
        return browser._follow(  # noqa: SLF001  (the page has more forms than one)
            browser.post(at(form.action), {**form.values, **typed})
        )

    return create


@pytest.mark.spec("features D03", "features UI-2", "features CR-3")
def test_a_search_leads_through_pages_and_back(browser, at, word):
    first = browser.open(at(f"/platform/tenants?q={word}"))
    assert slugs_on(first) == [f"{word}-{n:02}" for n in range(1, 27) if n != 5]
    (following,) = [link for link in first.links if "at=" in link]

    second = browser.open(at(following))
    assert slugs_on(second) == [f"{word}-{n:02}" for n in range(27, 31)]
    (back,) = [link for link in second.links if "at=" in link]
    assert slugs_on(browser.open(at(back))) == slugs_on(first)


@pytest.mark.spec("features D03", "features UI-2")
def test_a_search_is_sorted_and_stays_so_from_page_to_page(product, browser, at, word):
    product.change(
        "update insula.tenants set created_at"
        " = now() - interval '1 minute' * (60 - right(slug, 2)::int)"
        " where slug like %s",
        f"{word}-%",
    )
    listed = browser.open(at("/platform/tenants?sort=newest"))
    (form,) = [form for form in listed.forms if "q" in form.values]
    assert form.values["sort"] == "newest"  # whoever searches keeps the order

    first = browser.open(at(f"/platform/tenants?q={word}&sort=newest"))
    assert slugs_on(first) == [f"{word}-{n:02}" for n in range(30, 4, -1) if n != 5]
    assert 'aria-sort="descending"><a href="/platform/tenants?q=' in first.response.text
    (following,) = [link for link in first.links if "at=" in link]
    assert slugs_on(browser.open(at(following))) == [f"{word}-{n:02}" for n in range(4, 0, -1)]
    by_slug = browser.open(at(f"/platform/tenants?q={word}"))
    assert "sort" not in next(form for form in by_slug.forms if "q" in form.values).values


@pytest.mark.spec("features D03", "features UI-2")
def test_a_list_begins_with_what_is_wrong_and_says_what_that_is(product, viewing, at, word):
    late, doubted = f"{word}-29", f"{word}-28"
    product.change(
        """insert into insula.signing_keys (tenant_id, kid, alg, state, public_jwk, sealed, due_at)
           select id, 'late', 'ES256', 'active', '{}', '\\x00', now() - interval '2 hours'
             from insula.tenants where slug = %s""",
        late,
    )
    made = "from insula.tenants where slug = %s"
    host = f"login.{doubted}.example"
    product.change(
        "insert into insula.host_proofs (host, tenant_id, method, token, failures)"
        f" select %s, id, 'dns', repeat('a', 40), 1 {made}",
        host,
        doubted,
    )
    product.change(
        f"insert into insula.tenant_hosts (host, tenant_id, is_primary) select %s, id, true {made}",
        host,
        doubted,
    )

    def wrong(page):
        rows = page.response.text.split('<tr role="row">')[2:]
        said = r"(Key rotation overdue|Proof of \w+ fails)"
        return {slugs_in(row)[0]: found[0] for row in rows if (found := re.findall(said, row))}

    by_need = viewing.open(at(f"/platform/tenants?q={word}&sort=attention"))
    assert slugs_on(by_need)[:3] == [doubted, late, f"{word}-06"]  # and then who is suspended
    assert wrong(by_need) == {doubted: "Proof of issuer fails", late: "Key rotation overdue"}
    plain = viewing.open(at("/platform/tenants"))
    assert "those that need attention first" in plain.text
    (narrowed,) = [link for link in plain.links if link == "/platform/tenants?attention=1"]
    assert {late, doubted} <= set(slugs_on(viewing.open(at(narrowed))))
    alone = viewing.open(at(f"/platform/tenants?q={word}&attention=1"))
    assert slugs_on(alone) == [doubted, late]
    assert f"/platform/tenants?q={word}" in alone.links  # takes the filter away
    taken = viewing.get(at(f"/platform/tenants.csv?q={word}&attention=1")).text
    assert [row["slug"] for row in csv.DictReader(io.StringIO(taken))] == [doubted, late]


@pytest.mark.spec("features D03")
def test_a_domain_that_is_not_proven_leads_to_those_who_claim_it(product, browser, create, at):
    domain = f"login.{secrets.token_hex(6)}.example"
    owner, rival = (f"claims-{n}-{secrets.token_hex(4)}" for n in "ab")
    for slug in (owner, rival):
        create(display_name="Claimant", slug=slug, domain=domain)

    assert slugs_on(browser.open(at(f"/platform/tenants?q={domain[:16]}"))) == [owner, rival]
    product.backstage.run(lambda here: domains.vouch(here.platform, owner, domain, "a test"))
    assert slugs_on(browser.open(at(f"/platform/tenants?q={domain}"))) == [owner, rival]
    assert not slugs_on(browser.open(at(f"/platform/tenants?q={domain}x")))
    taken = create(display_name="Third", slug="third", domain=domain)
    assert f"by the tenant “{owner}”" in taken.text


@pytest.mark.spec("features D03", "features D07")
def test_a_list_is_narrowed_by_status_and_says_when_nothing_matches(browser, at, word):
    archived = browser.open(at(f"/platform/tenants?q={word}&status=archived"))
    nothing = browser.open(at("/platform/tenants?q=no-tenant-of-this-name"))

    assert slugs_on(archived) == [f"{word}-05"]
    assert f"/platform/tenants?q={word}" in archived.links  # takes the filter away
    assert "Nothing matches" in nothing.text
    assert "/platform/tenants" in nothing.links


def test_a_link_to_no_page_of_the_list_is_refused(browser, at):
    answer = browser.get(at("/platform/tenants?at=nonsense"))

    assert answer.status_code == 400
    assert "cursor_invalid" in answer.text


@pytest.mark.spec("features UI-2", "features CR-9")
def test_a_filter_is_taken_away_as_a_file_and_recorded(product, browser, viewing, at, word):
    as_csv = browser.get(at(f"/platform/tenants.csv?q={word}&status=active&status=archived"))
    as_json = viewing.get(at(f"/platform/tenants.json?q={word}&status=suspended"))

    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert len(rows) == 29
    assert rows[0]["slug"] == f"{word}-01"
    assert {row["display_name"][:2] for row in rows} == {"'="}  # no formula
    assert as_csv.headers["content-disposition"] == 'attachment; filename="tenants.csv"'
    (one,) = as_json.json()
    assert (one["slug"], one["status"], one["users"]) == (f"{word}-06", "suspended", 0)
    assert viewing.get(at("/platform/tenants.json?q=no-such-name")).json() == []
    lines = product.audit("_platforms", "data.exported", target_type="tenant")
    (line,) = [each for each in lines if each.metadata["filter"]["statuses"] == ["suspended"]]
    assert (line.metadata["format"], line.metadata["filter"]["search"]) == ("json", word)


@pytest.mark.spec("features D04", "features A12")
def test_a_tenant_is_made_and_the_page_says_what_to_do_next(product, browser, create, runner):
    slug = f"made-{secrets.token_hex(4)}"
    domain = f"login.{slug}.example"
    page = create(display_name="Newly Made", slug=slug, domain=domain)

    assert page.path == f"/platform/tenants/{slug}"
    assert "What to do next" in page.text
    assert f"insula admin bootstrap --tenant {slug}" in page.text
    assert "Prove the login domain" in page.text
    assert domain in page.text
    for record in (slug, "_platforms"):
        (line,) = product.audit(record, "tenant.created", target_id=slug)
        assert (line.actor_type, line.actor_id) == ("platform", str(runner.id))
    discovery = browser.get(product.url(slug, "/.well-known/openid-configuration"))
    assert discovery.json()["issuer"] == product.issuer(slug)  # the domain is not proven yet


@pytest.mark.spec("features D04", "features F21")
def test_the_link_of_a_first_administrator_is_in_the_answer_and_nowhere_else(
    product, browser, create, at
):
    slug, email = f"made-{secrets.token_hex(4)}", "Mira.Okafor@made.example"
    page = create(display_name="Newly Made", slug=slug, first_admin_email=f" {email} ")

    assert (page.status, page.path) == (200, "/platform/tenants/new")
    assert page.response.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.response.headers
    (url,) = set(re.findall(r"http://[^<\"]+/sign-in/activate\?token=[\w-]+", page.response.text))
    assert url.startswith(product.url(slug, "/"))
    (user,) = product.rows(
        "select u.*, array(select role from insula.user_roles r where r.user_id = u.id) as roles"
        " from insula.users u where u.tenant_id = %s",
        product.tenant_id(slug),
    )
    assert (user.email, user.username) == (email, "Mira.Okafor")
    assert (user.roles, user.password_hash) == (["superadmin"], None)
    assert email in browser.open(url).text
    again = create(display_name="Newly Made", slug=slug, first_admin_email=email)
    assert again.status == 409
    assert "token=" not in again.response.text
    assert (
        "Hand over the activation link"
        in browser.open(at(f"/platform/tenants/{slug}?done=created")).text
    )


@pytest.mark.spec("features D04")
def test_without_a_right_address_no_tenant_is_made(product, create):
    slug = f"made-{secrets.token_hex(4)}"

    refused = create(display_name="Half", slug=slug, first_admin_email="nobody")

    assert refused.status == 422
    assert "#first_admin_email" in refused.links
    (form,) = [form for form in refused.forms if form.action == "/platform/tenants/new"]
    assert (form.values["slug"], form.values["first_admin_email"]) == (slug, "nobody")
    assert not product.rows("select * from insula.tenants where slug = %s", slug)


@pytest.mark.spec("features D04", "features A06", "features A08")
@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"slug": "", "display_name": ""}, 422, "Enter a slug."),
        ({"slug": "Not A Slug"}, 422, "Lower-case letters, digits and hyphens"),
        ({"slug": "admin"}, 422, "This slug is reserved."),
        ({"slug": "new"}, 422, "This slug is reserved."),
        ({"slug": "ends-with-"}, 422, "not legal in a host name"),
        ({"domain": "https://x.example/"}, 422, "Must be a host name"),
        ({"slug": "acme"}, 409, "is the slug of Acme, which is active"),
    ],
)
def test_a_tenant_that_cannot_be_is_refused_beside_its_field(create, typed, status, said):
    values = {"display_name": "Kept as typed", "slug": "kept", "domain": "", **typed}
    page = create(**values)

    assert page.status == status
    assert said in page.text
    assert page.response.text.count('aria-invalid="true"') >= 1
    assert page.text.startswith("Error: Create tenant")
    kept = next(form for form in page.forms if "slug" in form.values).values
    assert {name: kept[name] for name in values} == values


@pytest.mark.spec("features D04")
def test_all_that_is_wrong_with_a_new_tenant_is_told_at_once(create):
    page = create(
        display_name=" ", slug="Bad Slug!", domain="https://x.y/z", first_admin_email="nonsense"
    )
    reserved = create(display_name="x" * 256, slug="admin", domain="", first_admin_email="")

    assert page.status == reserved.status == 422
    for field in ("display_name", "slug", "domain", "first_admin_email"):
        assert page.links.count(f"#{field}") == 1, field
    assert "Enter a name." in page.text
    assert "Lower-case letters, digits and hyphens" in page.text
    assert reserved.links.count("#display_name") == reserved.links.count("#slug") == 1
    assert "#domain" not in reserved.links


@pytest.mark.spec("features D04", "features BEY-6")
def test_the_slug_of_a_purged_tenant_says_when_it_is_free_again(create, product, tenant):
    product.backstage.run(lambda here: deletion.schedule(here.platform, tenant))
    waiting = create(display_name="Kept as typed", slug=tenant)
    assert purge_now(product, tenant)
    page = create(display_name="Kept as typed", slug=tenant)

    assert waiting.status == page.status == 409
    assert f"“{tenant}” is the slug of" in waiting.text
    assert "which is deleting" in waiting.text
    (row,) = product.rows("select slug_free_at from insula.deletions where slug = %s", tenant)
    assert f"is free again from {row.slug_free_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC." in page.text
    kept = next(form for form in page.forms if "slug" in form.values).values
    assert (kept["display_name"], kept["slug"]) == ("Kept as typed", tenant)


@pytest.mark.spec("features D04")
def test_a_domain_that_is_taken_says_by_whom(create, product):
    slug, other = (f"d{secrets.token_hex(4)}" for _ in range(2))
    domain = f"id.{slug}.example"
    create(display_name="First", slug=slug, domain=domain)
    product.backstage.run(lambda here: domains.vouch(here.platform, slug, domain, "a test"))
    page = create(display_name="Second", slug=other, domain=domain)

    assert page.status == 409
    assert f"by the tenant “{slug}”" in page.text


@pytest.mark.spec("features UI-1")
def test_the_tenants_that_somebody_opened_last_stand_above_the_list(product, at, runner, viewer):
    slugs = [f"last-{n}-{secrets.token_hex(4)}" for n in range(8)]
    for slug in slugs:
        product.tenant(slug)

    def recent(browser):
        text = browser.open(at("/platform/tenants?search=1")).response.text
        return re.findall(r'class="chip"><a href="/platform/tenants/([^"]+)"', text)

    with signed_in(product, "platform", runner) as browser:
        assert recent(browser) == []
        for slug in (*slugs[:7], slugs[3]):
            browser.open(at(f"/platform/tenants/{slug}/keys"))
        browser.get(at("/platform/tenants/nobody-at-all"))
        assert recent(browser) == [slugs[n] for n in (3, 6, 5, 4, 2, 1)]
        assert "Opened last" not in browser.open(at("/platform/tenants?q=acme")).text
        value = browser.cookie(at("/platform"), RECENT_COOKIE)
        assert not [slug for slug in slugs if slug in value]
        again = browser.get(at(f"/platform/tenants/{slugs[3]}"))
        assert RECENT_COOKIE not in again.headers.get("set-cookie", "")
        other = browser.get(at(f"/platform/tenants/{slugs[7]}"))
        (cookie,) = [c for c in other.headers.get_list("set-cookie") if RECENT_COOKIE in c]
        assert "; Path=/platform; HttpOnly; SameSite=Lax; Max-Age=" in cookie
        assert recent(browser) == [slugs[n] for n in (7, 3, 6, 5, 4, 2)]

    with signed_in(product, "platform", viewer) as browser:  # of whom the cookie is not
        browser.plant(at("/platform/"), RECENT_COOKIE, value)
        assert recent(browser) == []
        for odd in ("x", f"{viewer.id.hex}.x", f"{viewer.id.hex}.{viewer.id.hex}", "." * 900):
            browser.plant(at("/platform/"), RECENT_COOKIE, odd)
            assert recent(browser) == []


@pytest.mark.spec("features UI-1", "features D02")
def test_a_star_keeps_a_tenant_at_hand_in_this_browser(product, at, runner, viewing):
    slugs = [f"star-{n}-{secrets.token_hex(4)}" for n in range(3)]
    for slug in slugs:
        product.tenant(slug)

    def favourites(browser):
        text = browser.open(at("/platform/tenants?search=1")).response.text
        above = re.search(r'aria-label="Favourites">.*?</nav>', text)
        return re.findall(r'<a href="/platform/tenants/([^"]+)"', above[0]) if above else []

    def press(browser, page, slug):
        return submit(browser, page, f"/{slug}/favourite")

    with signed_in(product, "platform", runner) as browser:
        assert favourites(browser) == []
        for slug in slugs:
            back = press(browser, browser.open(at(f"/platform/tenants/{slug}/keys")), slug)
            assert back.path == f"/platform/tenants/{slug}/keys"
        assert favourites(browser) == slugs[::-1]
        listed = browser.open(at(f"/platform/tenants?q={slugs[1]}"))
        assert "Favourite" in listed.text
        assert "No favourite any more" in listed.text
        back = press(browser, listed, slugs[1])
        assert back.url == at(f"/platform/tenants?q={slugs[1]}")
        assert "Make it a favourite" in back.text
        assert favourites(browser) == [slugs[2], slugs[0]]

        whose, *ids = browser.cookie(at("/platform"), FAVOURITES_COOKIE).split(".")
        assert (whose, ids) == (
            runner.id.hex, [product.tenant_id(slugs[n]).hex for n in (2, 0)],
        )  # fmt: skip
        elsewhere = submit(
            browser, back, f"/{slugs[1]}/favourite", return_to="https://evil.example/"
        )
        assert elsewhere.path == f"/platform/tenants/{slugs[1]}"
        forged = browser.post(at(f"/platform/tenants/{slugs[1]}/favourite"), {"star": "1"})
        assert forged.status_code == 403
        product.change("delete from insula.tenants where slug = %s", slugs[2])
        assert favourites(browser) == [slugs[1], slugs[0]]

    page = viewing.open(at(f"/platform/tenants/{slugs[0]}"))
    assert not [form for form in page.forms if form.action.endswith("/favourite")]


@pytest.mark.spec("features UI-1")
def test_twenty_favourites_are_enough(product, at, runner, word):
    (*kept, last) = product.rows(
        "select id, slug from insula.tenants where slug like %s order by slug limit 21", f"{word}-%"
    )
    with signed_in(product, "platform", runner) as browser:
        page = browser.open(at(f"/platform/tenants/{last.slug}"))
        for n, status in ((20, 409), (19, 200)):
            value = ".".join(each.hex for each in (runner.id, *(row.id for row in kept[:n])))
            browser.plant(at("/platform/"), FAVOURITES_COOKIE, value)
            answer = submit(browser, page, "/favourite")
            assert answer.status == status
            assert ("20 tenants are favourites." in answer.text) is (status == 409)
        (written,) = [c.value for c in browser.http.cookies.jar if c.path == "/platform"
                      and c.name == FAVOURITES_COOKIE]  # fmt: skip
        assert written.split(".")[1:] == [last.id.hex, *(row.id.hex for row in kept[:19])]


def test_hostile_names_are_shown_and_not_run(product, browser, at, tenant):
    product.change(
        "update insula.tenants set display_name = %s where slug = %s",
        "<script>alert(1)</script>\" onload='x", tenant,
    )  # fmt: skip
    for path in (f"?q={tenant}", f"/{tenant}", f"/{tenant}/edit", f"/{tenant}/suspend"):
        text = browser.get(at(f"/platform/tenants{path}")).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text
