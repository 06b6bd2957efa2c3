"""
The pages in a real Chromium, on a phone, under the policy they are served with.

Needs Debian's package `chromium-headless-shell` or `chromium`; without it these tests are skipped.
"""

import json
import socket
import threading
from urllib.parse import parse_qs

import pytest
import uvicorn
from chromium import ARGUMENTS, CHROMIUM
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from ui_pages import ACME, PAGES

from insula.ui.assets import assets
from insula.ui.branding import stylesheet
from insula.ui.pages import FORM_POST_SCRIPT_HASH, render

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'{}; img-src 'self'; font-src 'self'; "
    "connect-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
PHONE = {"width": 390, "height": 844}

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: install Debian's package chromium"
)


async def show(request: Request) -> Response:
    name = request.path_params["name"]
    template, variables = PAGES[name]
    changes = {"action": "/posted"} if "action" in variables else {}
    allowed = f" '{FORM_POST_SCRIPT_HASH}'" if name == "form-post" else ""
    return HTMLResponse(
        render(template, **(variables | changes)),
        headers={"content-security-policy": POLICY.format(allowed)},
    )


async def posted(request: Request) -> Response:
    return PlainTextResponse((await request.body()).decode())


async def branding(_: Request) -> Response:
    return Response(stylesheet(ACME), media_type="text/css")


@pytest.fixture(scope="module")
def address():
    routes = [
        Route("/static/{path:path}", assets()),
        Route("/branding/{name}", branding),
        Route("/posted", posted, methods=["POST"]),
        Route("/{name}", show),
    ]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def contexts(browser: Browser):
    """A context for each set of options; these pages keep nothing that another could find."""
    made = {}

    def context(**options):
        key = json.dumps(options, sort_keys=True)
        if key not in made:
            made[key] = browser.new_context(viewport=PHONE, **options)
        return made[key]

    yield context
    for each in made.values():
        each.close()


def opened(context, url):
    """A page of that address, and what its console says."""
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(url)
    return page


@pytest.fixture
def open_page(contexts, address: str):
    pages = []

    def open_page(name, **options):
        pages.append(opened(contexts(**options), f"{address}/{name}"))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture(scope="module", params=sorted(PAGES.keys() - {"form-post"}))
def page(request, contexts, address: str):
    """Each page, opened once for all that is looked at and not changed."""
    page = opened(contexts(), f"{address}/{request.param}")
    yield page
    page.close()


def test_a_phone_needs_no_scrolling_sideways_and_the_policy_stops_nothing(page):
    page.evaluate("document.fonts.ready")

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.said == []


def test_everything_is_reached_by_keyboard_and_shows_that_it_has_the_focus(page):
    expected = page.evaluate(
        """[...document.querySelectorAll('a, button, input')].filter((it) =>
             it.type !== 'hidden' && it.tabIndex >= 0 && it.checkVisibility()).length"""
    )

    page.evaluate("document.body.tabIndex = -1; document.body.focus()")  # from the top of the page
    rings = []
    for _ in range(expected):
        page.keyboard.press("Tab")
        rings.append(
            page.evaluate(
                """() => { const ring = getComputedStyle(document.activeElement);
                return [document.activeElement.outerHTML, ring.outlineStyle,
                        parseFloat(ring.outlineWidth)] }"""
            )
        )

    assert len({element for element, _, _ in rings}) == expected
    assert all(style == "solid" and width >= 2 for _, style, width in rings)


@pytest.mark.spec("features UI-7")
@pytest.mark.parametrize("name", ["admin-sign-in-refused", "sign-in-refused", "sign-in"])
def test_a_refusal_is_where_a_reader_begins(open_page, name):
    page = open_page(name, java_script_enabled=False)
    begun = page.locator(":focus").all_inner_texts()

    assert [text.split("\n")[0] for text in begun] == (
        ["That did not work"] if name.endswith("refused") else []
    )


def test_targets_are_large_enough_to_hit(page):
    small = page.evaluate(
        """[...document.querySelectorAll('button, input, .btn, footer a')].filter((it) => {
             const box = (it.closest('label') ?? it).getBoundingClientRect();
             return it.checkVisibility() && !it.matches('.vh, [type=hidden]')
               && (box.width < 24 || box.height < 24) }).map((it) => it.outerHTML)"""
    )

    assert small == []


def test_icons_of_the_sprite_are_drawn(open_page):
    page = open_page("consent")

    widths = page.evaluate(
        "[...document.querySelectorAll('svg.icon')].map((it) => it.getBBox().width)"
    )

    assert widths
    assert all(width > 0 for width in widths)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_of_the_system_is_followed_without_script(open_page, scheme):
    page = open_page("sign-in", color_scheme=scheme, java_script_enabled=False)

    button = page.locator("#sign_in")
    colour = button.evaluate("it => getComputedStyle(it).backgroundColor")
    assert (colour == "rgb(168, 67, 10)") == (scheme == "light")


def test_signing_in_needs_no_script(open_page):
    page = open_page("sign-in", java_script_enabled=False)
    page.get_by_label("E-mail or username").fill("mira")
    page.get_by_label("Password").fill("correct horse")
    page.keyboard.press("Enter")
    page.wait_for_url("**/posted")

    assert parse_qs(page.inner_text("body")) == {
        "csrf_token": ["t0ken"],
        "username": ["mira"],
        "password": ["correct horse"],
        "sign_in": ["1"],
    }


@pytest.mark.parametrize(("press", "name"), [("Do not allow", "deny"), ("Allow", "allow")])
def test_consent_is_the_button_that_was_pressed_and_the_switches_left_on(open_page, press, name):
    page = open_page("consent", java_script_enabled=False)
    page.get_by_label("Stay connected").uncheck()
    page.get_by_role("button", name=press, exact=True).click()
    page.wait_for_url("**/posted")

    assert parse_qs(page.inner_text("body")) == {"csrf_token": ["t0ken"], name: ["1"]}


def test_a_link_in_the_summary_leads_to_its_field(open_page):
    page = open_page("sign-in-refused", java_script_enabled=False)
    page.get_by_role("alert").get_by_role("link").nth(1).click()
    page.keyboard.type("typed")

    assert page.locator("#password").input_value() == "typed"


def test_the_copy_button_is_there_only_when_it_can_copy(open_page):
    without = open_page("error", java_script_enabled=False)
    page = open_page("error", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy request id").click()

    assert without.get_by_role("button", name="Copy request id").count() == 0
    assert page.get_by_role("status").inner_text() == "Copied"
    assert page.evaluate("navigator.clipboard.readText()") == PAGES["error"][1]["request_id"]


def test_an_answer_by_form_post_sends_itself(open_page):
    page = open_page("form-post")
    page.wait_for_url("**/posted")

    assert page.url.endswith("/posted")
    assert page.inner_text("body") == "code=c0de&submit=x"


def test_an_answer_by_form_post_has_a_button_where_script_is_off(open_page):
    page = open_page("form-post", java_script_enabled=False)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/posted")

    assert page.inner_text("body") == "code=c0de&submit=x"
