"""Acme, its applications that want to hear of sign-outs, and a worker that tells them."""

import os
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass
from uuid import UUID

import jwt
import pytest
from back_channels import BackChannel, reaching
from browsing import Browser
from hosts_of_others import Authority
from people import App, Somebody
from serving import ROOT
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
    """`insula worker` as a process of its own, that has begun to work."""
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "insula.platform.cli", "worker"],
            cwd=ROOT,
            env={**product.server.environment, **reaching(channel, dead_channel)},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        until(30, lambda: _has_begun(product, process, log), every=0.1)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)


def _has_begun(product, process, log):
    assert process.poll() is None, log.read_text()
    return product.rows("select 1 from insula_jobs.procrastinate_workers")


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
