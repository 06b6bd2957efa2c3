"""People in a real browser, and the demo application as the customer that they come from."""

import json
import os
import subprocess
import sys
import time
from urllib.parse import urlsplit

import httpx2
import pytest
from chromium import ARGUMENTS, CHROMIUM
from looking import DESK
from playwright.sync_api import sync_playwright
from product import SLUGS
from serving import ROOT


@pytest.fixture(scope="session")
def demo(product, tmp_path_factory):
    """The demo application, running as `insula dev` runs it; its address."""
    folder = tmp_path_factory.mktemp("demo")
    registered = folder / "dev.json"
    registered.write_text(json.dumps({"tenants": [_registration(product, s) for s in SLUGS]}))
    port = str(urlsplit(product.demo_url).port)
    with (folder / "demo.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  (our own words)
            [sys.executable, "-m", "uvicorn", "--factory", "insula.platform.demo.app:create_app",
             "--port", port, "--no-access-log", "--log-level", "warning"],
            cwd=ROOT,
            env={**os.environ, "INSULA_DEV_JSON": str(registered)},
            stdout=log,
            stderr=log,
        )  # fmt: skip
    try:
        _wait_for(product.demo_url, process)
        yield product.demo_url
    finally:
        process.terminate()
        process.wait(10)


def _registration(product, slug):
    web = product.demo_app(slug, "web")
    return {
        "slug": slug,
        "issuer": product.issuer(slug),
        "user": {"email": product.demo_person(slug).email},
        "admin": {"email": f"admin@{slug}.example"},
        "clients": {
            "web": {
                "client_id": web.client_id,
                "client_secret": web.secret,
                "redirect_uris": [f"{product.demo_url}/callback/{slug}"],
            }
        },
    }


def _wait_for(url, process):
    deadline = time.monotonic() + 30
    while True:
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.HTTPError:
            assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium; for one module, since its loop would stop asynchronous tests."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """A fresh window; at the end the console must have been silent but for refused requests."""
    opened = []

    def visit(**options):
        context = chromium.new_context(**{"viewport": DESK, **options})
        page = context.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        opened.append((context, said))
        return page

    yield visit
    for context, said in opened:
        context.close()
        assert [text for text in said if not _is_a_note(text)] == []


def _is_a_note(text):
    """Chromium notes every page that comes with a status of 400 and above, and what it clears."""
    return text.startswith(
        (
            "Failed to load resource: the server responded with a status of 4",
            "Clear-Site-Data header on",
        )
    )
