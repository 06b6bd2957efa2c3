"""After a sign-out applications clean up, and then the way goes on, in a real browser (LO-10)."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from product import VERIFIER
from spine import FAST

_PAGE = b"<!doctype html><title>Here</title><link rel=icon href='data:,'><p>Here"


@pytest.fixture
def site():
    """An application: it remembers what was loaded of it, and its address /slow never answers."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            self.server.loaded.append((parts.path, parse_qs(parts.query), dict(self.headers)))
            if parts.path == "/slow":
                over.wait(30)
                return
            body = _PAGE
            if parts.path == "/framing":
                body += b"<iframe src='%s'></iframe>" % parts.query.encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.loaded = []
    server.url = lambda path: f"http://127.0.0.1:{server.server_port}{path}"
    server.to = lambda path: [each for each in server.loaded if each[0] == path]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sign_in(product, site):
    """Sign a person in at an application of the site; where it sends them to sign out."""

    def sign_in(page, *clean_up):
        person, hint = product.person("acme"), ""
        for path in clean_up:
            app = product.app(
                "acme",
                redirect_uris=(site.url("/callback"),),
                post_logout_redirect_uris=(site.url("/bye"),),
                frontchannel_logout_uri=site.url(path),
                frontchannel_logout_session_required=True,
                **FAST,
            )
            asked = {"redirect_uri": site.url("/callback"), "scope": "openid"}
            page.goto(product.authorize_url("acme", app, **asked))
            if not hint:
                page.get_by_label("E-mail or username").fill(person.email)
                page.get_by_label("Password").fill(person.password)
                page.keyboard.press("Enter")
            page.wait_for_url(site.url("/callback") + "?*")
            code = parse_qs(urlsplit(page.url).query)["code"][0]
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": site.url("/callback"),
                "code_verifier": VERIFIER,
            }
            with product.http(auth=(app.client_id, app.secret)) as http:
                answer = http.post(product.url("acme", "/oauth2/token"), data=form)
            hint = answer.json()["id_token"]
        back = f"post_logout_redirect_uri={site.url('/bye')}"
        return hint, f"{product.url('acme', '/oauth2/logout')}?id_token_hint={hint}&{back}"

    return sign_in


@pytest.mark.spec("OIDCFCL-2", "OIDCFCL-3", "LO-10")
def test_every_application_cleans_up_and_the_browser_goes_on_at_once(product, visit, site, sign_in):
    page = visit()
    hint, leave = sign_in(page, "/clean-up", "/other")

    started = time.monotonic()
    page.goto(leave)
    page.wait_for_url(site.url("/bye"))

    assert time.monotonic() - started < 2.5
    sid = jwt.decode(hint, options={"verify_signature": False})["sid"]
    for path in ("/clean-up", "/other"):
        ((_, query, headers),) = site.to(path)
        assert query == {"iss": [product.issuer("acme")], "sid": [sid]}
        assert headers["Sec-Fetch-Dest"] == "iframe"
        assert "Referer" not in headers


@pytest.mark.spec("OIDCFCL-2", "LO-10")
def test_an_application_that_never_answers_holds_nobody_up(visit, site, sign_in):
    page = visit()
    _, leave = sign_in(page, "/slow", "/clean-up")

    started = time.monotonic()
    page.goto(leave, wait_until="commit")
    page.wait_for_url(site.url("/bye"), timeout=10_000)

    assert 2.5 < time.monotonic() - started < 6
    assert site.to("/clean-up")


@pytest.mark.spec("OIDCFCL-2", "LO-10")
def test_without_script_it_goes_on_by_itself_as_well(visit, site, sign_in):
    page = visit(java_script_enabled=False)
    _, leave = sign_in(page, "/clean-up")

    page.goto(leave)
    assert page.get_by_role("heading", level=1).inner_text() == "You are signed out"
    page.wait_for_url(site.url("/bye"), timeout=10_000)

    assert len(site.to("/clean-up")) == 1


@pytest.mark.spec("OIDCFCL-2", "LO-10")
def test_without_script_a_link_leads_past_an_application_that_never_answers(visit, site, sign_in):
    page = visit(java_script_enabled=False)
    _, leave = sign_in(page, "/slow")

    page.goto(leave, wait_until="commit")
    page.get_by_role("link", name="Continue to 127.0.0.1").click(no_wait_after=True)
    page.wait_for_url(site.url("/bye"))


@pytest.mark.spec("OIDCFCL-2", "AZ-15", "LO-10")
def test_our_own_page_cannot_be_framed(product, chromium, site):
    page = chromium.new_page()  # whose console says so, and is not looked at

    page.goto(site.url(f"/framing?{product.url('acme', '/oauth2/logout')}"))
    page.wait_for_timeout(500)

    framed = page.frames[-1]
    assert framed.parent_frame is not None
    assert "signed out" not in framed.content()
    page.close()
