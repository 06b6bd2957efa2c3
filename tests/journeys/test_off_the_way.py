"""Pages off the straight way: answers by form, errors, signing out, a password to replace."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from looking import look_at
from product import CALLBACK

SCRIPT = [True, False]


@pytest.fixture
def recipient():
    """An application's callback that remembers what it was sent."""

    class Callback(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self.server.received.append((parse_qs(body), dict(self.headers)))
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Here</title><link rel=icon href='data:,'>")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Callback)
    server.received = []
    server.address = f"http://127.0.0.1:{server.server_port}/callback"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(page, person):
    page.get_by_label("E-mail or username").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("script", SCRIPT)
def test_an_answer_by_form_reaches_the_application_with_and_without_script(
    product, visit, recipient, script
):
    app = product.app("acme", redirect_uris=(recipient.address,))
    state = '"><script>alert(1)</script>'
    page = visit(java_script_enabled=script)
    page.goto(
        product.authorize_url(
            "acme", app, redirect_uri=recipient.address, response_mode="form_post", state=state
        )
    )
    sign_in(page, product.person("acme"))
    if not script:
        look_at(page, "One more step", title="Continue to 127.0.0.1")
        assert recipient.received == []
        page.get_by_role("button", name="Continue").click()
    page.wait_for_url(recipient.address)

    ((form, headers),) = recipient.received
    assert form["state"] == [state]
    assert form["iss"] == [product.issuer("acme")]
    assert form["code"]
    assert "Referer" not in headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"client_id": "nobody"},
        {"scope": "made-up"},
        {"code_challenge": None, "code_challenge_method": None},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_request_that_cannot_be_answered_stays_on_its_page(product, visit, wrong):
    page = visit()
    went_to = []
    page.on("framenavigated", lambda frame: went_to.append(frame.url))
    asked = product.authorize_url("acme", product.demo_app("acme", "web"), **wrong)

    answer = page.goto(asked)
    page.wait_for_timeout(300)

    look_at(page, "This request cannot be completed", title="Error: ")
    assert answer.status == 400
    assert "location" not in answer.headers
    assert went_to == [asked]
    # the one way on is a button that names the host, where the address is the application's own
    buttons = page.locator("main a[href^=http]").all_text_contents()
    known = {"redirect_uri", "client_id"}.isdisjoint(wrong)
    assert buttons == ([f"Back to {urlsplit(CALLBACK).netloc}"] if known else [])


@pytest.mark.parametrize("script", SCRIPT)
def test_pages_of_refusal_say_what_to_do_and_what_to_pass_on(product, visit, script):
    page = visit(java_script_enabled=script)

    page.goto(product.url("acme", "/sign-in?txn=over"))
    look_at(page, "This sign-in has expired", title="Error: This sign-in has expired · Acme")
    copy = page.get_by_role("button", name="Copy request id")
    assert copy.count() == (1 if script else 0)
    page.get_by_role("link", name="Start again").click()
    look_at(page, "Sign in to Acme", title="Sign in")

    page.goto(product.url("acme", "/nothing-here"))
    look_at(page, "There is nothing here", title="Error: ")
    page.goto(f"http://nobody.localhost:{product.server.port}/sign-in")
    look_at(page, "There is nobody at this address", title="Error: ")


@pytest.mark.parametrize("script", SCRIPT)
def test_a_password_to_replace_is_replaced_on_the_way(product, visit, script):
    newcomer = product.person("acme", must_change_password=True)
    page = visit(java_script_enabled=script)
    page.goto(product.url("acme", "/"))
    sign_in(page, newcomer)
    look_at(page, "Choose a new password")
    assert page.get_by_text(newcomer.email).is_visible()

    page.get_by_label("New password", exact=True).fill("too short")
    page.get_by_label("New password again").fill("too short")
    page.get_by_role("button", name="Save and sign in").click()
    look_at(page, "Choose a new password", title="Error: Choose a new password")
    page.get_by_role("alert").get_by_role("link").click()
    page.keyboard.type("seventeen grey herons")
    page.get_by_label("New password again").fill("seventeen grey herons")
    page.keyboard.press("Enter")

    look_at(page, "You are signed in")


@pytest.mark.parametrize("script", SCRIPT)
def test_signing_out_is_asked_and_then_complete(product, visit, script):
    page = visit(java_script_enabled=script)
    page.goto(product.url("acme", "/"))
    sign_in(page, product.person("acme"))
    page.get_by_role("link", name="Sign out").click()
    look_at(page, "Sign out of Acme?", title="Sign out? · Acme")
    page.get_by_role("button", name="Stay signed in").click()
    look_at(page, "You are signed in")
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    look_at(page, "You are signed out")
    page.get_by_role("link", name="Sign in again").click()
    look_at(page, "Sign in to Acme", title="Sign in")


def test_a_known_person_confirms_with_the_password_alone(product, visit):
    person = product.person("acme")
    page = visit()
    page.goto(product.url("acme", "/"))
    sign_in(page, person)
    page.goto(product.authorize_url("acme", product.demo_app("acme", "web"), prompt="login"))

    look_at(page, "Confirm it is you")
    assert page.get_by_text(person.email).is_visible()
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Continue").click()
    look_at(page, "Ledger wants to use your Acme account", title="Allow")
    assert page.get_by_text("127.0.0.1:9000").is_visible()
    assert CALLBACK.startswith("http://127.0.0.1:9000")


def test_too_many_tries_are_told_with_the_time_to_wait(product, visit):
    person = product.person("acme")
    page = visit(java_script_enabled=False)
    page.goto(product.url("acme", "/sign-in"))
    for _ in range(6):
        page.get_by_label("E-mail or username").fill(person.email)
        page.get_by_label("Password").fill("not the password of anybody")
        page.get_by_role("button", name="Sign in").click()

    look_at(page, "Sign in to Acme", title="Error: Sign in")
    assert "Too many tries" in page.get_by_role("alert").inner_text()
    assert "Wait 30 seconds" in page.get_by_role("alert").inner_text()
