"""Acme, its applications that want to hear of sign-outs, and a worker that tells them."""

import secrets
from dataclasses import dataclass
from uuid import UUID

import jwt
import pytest
from back_channels import BackChannel, has_begun, reaching, telling
from browsing import Browser
from hosts_of_others import Authority
from people import App, Somebody
from spine import FAST, signed_in, tokens_of, until


@pytest.fixture(scope="session")
def channel(tmp_path_factory):
    channel = BackChannel(Authority(tmp_path_factory.mktemp("back-channel")))
    yield channel
    channel.close()


@pytest.fixture(scope="session")
def dead_channel(channel):
    """A host of its own that takes every notice and answers none."""
    dead = BackChannel(channel.authority)
    dead.silent.add("/dead")
    yield dead
    dead.close()


@pytest.fixture(scope="session")
def worker(product, channel, dead_channel, tmp_path_factory):
    """A worker that has begun to work."""
    here = {**product.server.environment, **reaching(channel, dead_channel)}
    with telling(here, tmp_path_factory.mktemp("worker") / "worker.log") as process:
        until(30, lambda: has_begun(product, process), every=0.1)
        yield process


@dataclass
class Visit:
    """Somebody signed in at an application that is told of sign-outs."""

    slug: str
    app: App
    path: str
    person: Somebody
    browser: Browser
    tokens: dict

    @property
    def id_token(self):
        return jwt.decode(self.tokens["id_token"], options={"verify_signature": False})

    @property
    def sid(self):
        return UUID(self.id_token["sid"])


@pytest.fixture
def told_app(product, channel):
    """Register an application that is told at a path of its own; the application and the path."""

    def told_app(slug="acme", **metadata):
        path = f"/out/{secrets.token_hex(6)}"
        values = {"backchannel_logout_uri": channel.url(path), **FAST, **metadata}
        return product.app(slug, **values), path

    return told_app


@pytest.fixture
def visit(product, told_app):
    """Sign somebody in at a new application."""
    opened = []

    def visit(slug="acme", person=None, scope="openid offline_access", **metadata):
        app, path = told_app(slug, **metadata)
        person = person or product.person(slug)
        browser = signed_in(product, slug, app, person)
        opened.append(browser)
        return Visit(
            slug, app, path, person, browser, tokens_of(product, slug, app, browser, scope)
        )

    yield visit
    for browser in opened:
        browser.close()
