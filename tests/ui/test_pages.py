import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from ui_pages import ACME, CONSENT, ERROR, PAGES, SIGN_IN

import insula
from insula.ui.branding import Mark, Picture, branding_href
from insula.ui.pages import FORM_POST_SCRIPT_HASH, bare, moment, render, theme_of, web
from insula.ui.views import Account, App, Person, ScopeLine, hue_of, initials

HOSTILE = """"><script>alert(1)</script><img src=x onerror=alert(1)>' style='x"""
VOID = {"meta", "link", "input", "img", "wbr"}


class Page(HTMLParser):
    """The elements of a page in order, each with its attributes, and the text of its scripts."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.scripts, self.text, self._open = [], [], {}, []
        self.feed(html)
        assert self._open == [], "an element is never closed"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        tag = self._open[-1] if self._open else ""
        if tag == "script":
            self.scripts.append(data)
        self.text[tag] = self.text.get(tag, "") + data

    def all(self, tag):
        return [attributes for found, attributes in self.elements if found == tag]

    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def named(self):
        return {a["name"] for tag, a in self.elements if tag in {"input", "button"} and "name" in a}


def page_of(name, **changes):
    template, variables = PAGES[name]
    return Page(render(template, **(variables | changes)))


@pytest.fixture(params=PAGES)
def name(request):
    return request.param


def test_every_page_of_the_product_is_among_the_samples():
    packages = Path(insula.__file__).parent
    pages = {
        path.relative_to(packages / package / "templates").as_posix()
        for package in ("admin_sessions", "devices", "sign_in", "ui")
        for path in (packages / package / "templates").rglob("[!_]*.html")
        if "{% extends" in (text := path.read_text()) or "<!doctype" in text  # the rest: macros
    }

    assert pages == {template for template, _ in PAGES.values()}


def test_nothing_is_styled_or_scripted_inside_a_page(name):
    page = page_of(name)

    inline = [text for text in page.scripts if text.strip()]
    assert not page.all("style")
    assert not [
        attribute
        for _, attributes in page.elements
        for attribute in attributes
        if attribute == "style" or attribute.startswith("on")
    ]
    if name == "form-post":
        (script,) = inline
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"sha256-{digest}" == FORM_POST_SCRIPT_HASH
    else:
        assert inline == []


def test_everything_a_page_loads_comes_from_its_own_host(name):
    page = page_of(name)
    loaded = [
        attributes.get("src") or attributes.get("href")
        for tag, attributes in page.elements
        if tag in {"link", "script", "img", "use"} and attributes
    ]

    assert loaded
    assert all(re.match(r"/(static|branding)/[0-9a-f]{12}[./]", address) for address in loaded)


def test_a_page_has_a_language_a_title_and_one_heading(name):
    page = page_of(name)

    assert page.all("html")[0]["lang"] == "en"
    assert page.text["title"].strip()
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1


def test_ids_are_unique_and_every_reference_leads_to_one(name):
    page = page_of(name)
    ids = page.ids()
    references = [
        *(a["aria-describedby"] for _, a in page.elements if "aria-describedby" in a),
        *(a["for"] for a in page.all("label") if "for" in a),
        *(a["href"][1:] for a in page.all("a") if a["href"].startswith("#")),
    ]

    assert len(ids) == len(set(ids))
    assert set(references) <= set(ids)


def test_every_field_a_person_fills_in_has_a_label_and_says_its_purpose(name):
    page = page_of(name)
    labelled = {label["for"] for label in page.all("label") if "for" in label}
    fields = [
        field
        for field in page.all("input")
        if field.get("type") in {"text", "password"} and field.get("aria-hidden") != "true"
    ]

    assert {field["id"] for field in fields} <= labelled
    assert all(field["autocomplete"] for field in fields)


def test_every_form_that_posts_to_us_carries_the_token(name):
    page = page_of(name)
    posting = [form for form in page.all("form") if form["method"] == "post"]
    tokens = [field for field in page.all("input") if field.get("name") == "csrf_token"]

    if name != "form-post":
        assert [token["value"] for token in tokens] == ["t0ken"] * len(posting)


def test_a_page_that_is_given_too_little_fails_instead_of_showing_gaps(name):
    template, variables = PAGES[name]

    for missing in variables.keys() - {"switch_url"}:
        if missing in {"action_label", "cancel_host"} and not variables["action_url"]:
            continue
        rest = {key: value for key, value in variables.items() if key != missing}
        with pytest.raises((UndefinedError, TypeError)):
            render(template, **rest)


def test_values_of_strangers_stay_text(name):
    template, variables = PAGES[name]
    hostile = {
        key: HOSTILE if isinstance(value, str) else value for key, value in variables.items()
    }
    known = {
        "user": Person(HOSTILE, HOSTILE, 1),
        "client": App(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, True, HOSTILE),  # noqa: FBT003
        "accounts": [Account(HOSTILE, HOSTILE, HOSTILE, 1, HOSTILE)],
        "scopes": [ScopeLine(HOSTILE, "user", HOSTILE, HOSTILE, required=False)],
        "fields": [(HOSTILE, HOSTILE)],
        "alert": ("bad", HOSTILE, HOSTILE),
        "errors": [("password", HOSTILE), (HOSTILE, HOSTILE)],
    }
    hostile |= {key: value for key, value in known.items() if key in variables}

    page = Page(render(template, **hostile))

    tame = page_of(name)
    assert {tag for tag, _ in page.elements} - {tag for tag, _ in tame.elements} <= {
        "a", "b", "div", "label", "li", "p", "small", "span", "svg", "ul", "use",
    }  # fmt: skip
    assert len(page.all("script")) == len(tame.all("script"))
    assert not any(key.startswith("on") or key == "style" for _, a in page.elements for key in a)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "JaVa\tScript:alert(1)",
        "data:,x",
        "https://[x",
    ],
)
def test_links_of_tenants_and_clients_lead_to_pages_only(address):
    client = CONSENT["client"]._replace(uri=address, policy_uri=address, tos_uri=address)
    branding = ACME.__class__("Acme", "A", ACME.accent, ACME.host, (("Privacy", address),))

    page = page_of("consent", client=client, branding=branding)

    assert web(address) is None
    assert {link["href"] for link in page.all("a")} == {"#main", "/sign-in/select-account"}


def test_a_refusal_is_said_first_in_the_title_and_leads_to_each_field():
    page = page_of("sign-in-refused")
    alerts = [a for _, a in page.elements if a.get("role") == "alert"]
    links = [link["href"] for link in page.all("a")]

    assert page.text["title"].startswith("Error:")
    assert len(alerts) == 1
    assert {"#username", "#password"} <= set(links)
    assert [a["id"] for a in page.all("input") if a.get("aria-invalid") == "true"] == [
        "username",
        "password",
    ]


def test_a_page_without_a_refusal_does_not_cry_wolf():
    page = page_of("sign-in")

    assert page.text["title"] == "Sign in · Acme"
    assert not [a for _, a in page.elements if "role" in a or "aria-invalid" in a]


def test_a_name_that_was_typed_is_kept_and_a_password_never_is():
    fields = {field["id"]: field for field in page_of("sign-in-refused").all("input")[1:]}

    assert fields["username"]["value"] == "mira.okafor@acme.example"
    assert "value" not in fields["password"]


def test_password_managers_find_what_they_look_for():
    def purposes(name):
        return {
            field["id"]: field["autocomplete"]
            for field in page_of(name).all("input")
            if "autocomplete" in field
        }

    known = {"username": "username", "password": "current-password"}
    assert purposes("sign-in") == known
    assert purposes("reauthenticate") == known
    assert purposes("new-password") == {
        "username": "username",
        "new_password": "new-password",
        "repeat": "new-password",
    }


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("sign-in", {"csrf_token", "username", "password", "sign_in", "cancel"}),
        ("reauthenticate", {"csrf_token", "username", "password", "sign_in", "cancel"}),
        ("new-password", {"csrf_token", "username", "new_password", "repeat", "save"}),
        ("consent", {"csrf_token", "scope", "deny", "allow"}),
        ("select-account", {"csrf_token", "account"}),
        ("sign-out", {"csrf_token", "stay", "sign_out"}),
        ("form-post", {"code", "submit"}),
    ],
)
def test_forms_post_exactly_these_names(page, names):
    assert page_of(page).named() == names


def test_only_what_is_optional_can_be_switched_off():
    switches = [field for field in page_of("consent").all("input") if field["name"] == "scope"]

    assert [switch["value"] for switch in switches] == ["offline_access"]


def test_the_theme_a_person_chose_is_on_the_page_before_it_is_painted():
    template, variables = PAGES["sign-in"]

    assert 'data-theme="dark"' in render(template, theme="dark", **variables)
    assert "data-theme" not in render(template, theme=None, **variables)
    assert theme_of({"insula_theme": "dark"}) == "dark"
    assert theme_of({"insula_theme": '"><script>'}) is None
    assert theme_of({}) is None


def test_a_page_wears_its_tenants_colours_and_an_unknown_host_none():
    links = [link["href"] for link in page_of("error").all("link")]
    plain = [link["href"] for link in page_of("error-without-tenant").all("link")]

    assert branding_href(ACME) in links
    assert not any("/branding/" in href for href in plain)


def test_a_tenants_logo_takes_the_place_of_its_letter_and_never_of_its_host():
    logo = Picture("/img/" + "0" * 64, 240, 72)
    branding = ACME.__class__("Acme", "A", ACME.accent, ACME.host, logo=Mark(logo, logo))

    html = render("sign_in/sign_in.html", **(SIGN_IN | {"branding": branding}))

    assert 'alt="Acme"' in html
    assert "tile-lg" not in html
    assert ACME.host in html


def test_an_error_page_says_where_its_button_leads_and_when_it_happened():
    html = render("ui/error.html", **ERROR)

    assert "app.ledger.example</bdi>" in html
    assert "20 Nov 2026, 10:14:07 UTC" in html
    assert 'data-copy="0197f2c4-8b1e-7d0a-9c55-3f1e6a20b7d4"' in html


def test_moments_are_written_in_one_zone():
    berlin = timezone(timedelta(hours=1))

    assert moment(datetime(2026, 1, 2, 0, 30, tzinfo=berlin)) == "1 Jan 2026, 23:30:00 UTC"
    assert moment(datetime(2026, 1, 2, tzinfo=UTC)) == "2 Jan 2026, 00:00:00 UTC"
    with pytest.raises(ValueError, match="zone"):
        moment(datetime(2026, 1, 2))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ledger.example/", "ledger.example"),
        ("https://ledger.example/terms?x=1", "ledger.example/terms"),
        ("https://bank.example@evil.example/", "evil.example"),
    ],
)
def test_a_shortened_address_shows_the_host_it_leads_to(address, shown):
    assert bare(address) == shown


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Mira Okafor", "MO"),
        ("mira.okafor@acme.example", "M"),
        ("Hubert Blaine Wolf", "HW"),
        ("محمد علي", "م"),
        ("王小明", "王"),
        ("  ", ""),
    ],
)
def test_initials_suit_the_script_of_the_name(name, letters):
    assert initials(name) == letters


def test_a_person_keeps_one_of_the_six_tints():
    assert hue_of("account-1") == hue_of("account-1")
    assert {hue_of(f"account-{n}") for n in range(100)} == set(range(6))
