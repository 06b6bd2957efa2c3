"""The page that says how to connect an application says what works."""

import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading

import httpx2
import npm_programs
import pytest
from browsing import Browser
from chromium import ARGUMENTS, CHROMIUM
from playwright.sync_api import sync_playwright


@pytest.fixture
def somebody(product):
    return product.demo_person("acme")


def walk(browser, url, person):
    """Sign in and allow whatever is asked; where the browser leaves the provider for."""
    page = browser.open(url)
    if page.left is None and page.path == "/sign-in":
        page = browser.sign_in(page, person)
    if page.left is None and page.path == "/sign-in/consent":
        page = browser.submit(page, "allow")
    assert page.left is not None, page.text
    return page.left


@pytest.mark.usefixtures("orders")
def test_a_web_application_signs_in_and_calls_the_api(reader, somebody):
    reader.serve("api.py", "5001")
    shop = httpx2.Client(base_url=reader.serve("web.py", "5000", **reader.made("Shop")))

    assert "Sign in" in shop.get("/").text
    leaves = shop.get("/login").headers["location"]
    back = walk(Browser(), leaves, somebody)
    shop.get(back)
    page = shop.get("/").text

    assert json.loads(page.partition(" ")[2]) == {"orders": [], "of": page.partition(" ")[0]}


@pytest.mark.usefixtures("orders")
def test_the_web_application_lets_nobody_slip_in(reader):
    shop = httpx2.Client(base_url=reader.serve("web.py", "5000", **reader.made("Shop")))
    shop.get("/login")

    assert shop.get("/callback?code=c&state=made-up").status_code == 400


@pytest.mark.usefixtures("orders")
def test_a_machine_calls_the_api(reader):
    reader.serve("api.py", "5001")

    done = reader.start("machine.py", **reader.made("Nightly"))
    said, complaint = done.communicate(timeout=30)

    assert done.returncode == 0, complaint
    assert "'orders': []" in said


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    ("authorization", "status"),
    [("", 401), ("Bearer made.up.token", 401), ("Basic abc", 401)],
)
def test_the_api_refuses_what_is_no_token(reader, authorization, status):
    url = reader.serve("api.py", "5001")

    assert httpx2.get(url, headers={"authorization": authorization}).status_code == status


@pytest.mark.usefixtures("orders")
def test_the_api_refuses_tokens_for_others(reader, product):
    """A token of the same issuer for its own endpoints, and one of another tenant."""
    url = reader.serve("api.py", "5001")
    for slug in ("acme", "globex"):
        app = product.demo_app(slug, "machine")
        answer = httpx2.post(
            f"http://127.0.0.1:{product.server.port}/oauth2/token",
            headers={"host": product.server.host(slug)},
            auth=(app.client_id, app.secret),
            data={"grant_type": "client_credentials"},
        )
        token = answer.json()["access_token"]

        assert httpx2.get(url, headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_a_native_application_waits_at_a_port_of_its_own(reader, somebody):
    courier = reader.start("native.py", **reader.made("Courier"))

    back = walk(Browser(), courier.stdout.readline().strip(), somebody)
    httpx2.get(back)
    said, complaint = courier.communicate(timeout=30)

    assert courier.returncode == 0, complaint
    assert said.startswith("Hello, Jonas")


def test_a_device_shows_a_code_and_goes_on_by_itself(reader, somebody):
    screen = reader.start("device.py", **reader.made("Screen"))
    told = screen.stdout.readline()
    page, code = re.search(r"Open (\S+) and enter (\S+)", told).groups()

    browser = Browser()
    form = browser.sign_in(browser.open(page), somebody)
    asks = browser.submit(form, "look", user_code=code.lower())
    assert code in asks.text
    assert "connected" in browser.submit(asks, "allow").text
    said, complaint = screen.communicate(timeout=60)

    assert screen.returncode == 0, complaint
    assert said.startswith("Hello, Jonas")


@pytest.fixture
def board(reader, product):
    """The page and its library, served as files; its address."""
    shutil.copyfile(
        npm_programs.prepare() / "node_modules/oauth4webapi/build/index.js",
        reader.folder / "oauth4webapi.js",
    )
    settings = {"issuer": product.issuer("acme"), "client_id": reader.made("Board")["CLIENT_ID"]}
    (reader.folder / "settings.json").write_text(json.dumps(settings))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    port = int(reader.ports["5002"])
    handler = functools.partial(Quiet, directory=reader.folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{port}/"
        server.shutdown()


def test_a_single_page_application_signs_in_in_a_real_browser(board, somebody):
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(board)
        page.click("#sign-in")
        page.fill("#username", somebody.email)
        page.fill("#password", somebody.password)
        page.click("#sign_in")
        page.click("#allow")
        page.wait_for_function("document.querySelector('#who')?.textContent", timeout=15000)
        who = page.text_content("#who")
        browser.close()

    assert who.startswith("Jonas")


def test_every_python_file_of_the_page_is_python(reader):
    for file in reader.folder.glob("*.py"):
        subprocess.run([sys.executable, "-m", "py_compile", file], check=True)  # noqa: S603
