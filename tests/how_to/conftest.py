"""The code of a page of the documentation, taken out of it and run as its reader would."""

import json
import os
import re
import shlex
import subprocess
import sys
import time

import httpx2
import pytest
from serving import ROOT, cli

from insula.platform.embedded.ports import free_port

PAGE = ROOT / "docs" / "how-to" / "connect-an-application.md"
#: What a line in /etc/hosts does on the reader's machine.
NAMES = """
import socket
_look_up = socket.getaddrinfo
def _here(host, *more, **named):
    if isinstance(host, str) and host.endswith(".localhost"):
        host = "127.0.0.1"
    return _look_up(host, *more, **named)
socket.getaddrinfo = _here
"""


def files():
    """The pieces of code of the page by the name of their file."""
    found = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return dict(found)


def commands():
    """The `insula` commands of the page by the name of what they make."""
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))
    lines = shell.replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("insula ")]


class Reader:
    """Somebody who follows the page on a machine of their own, where other ports are free."""

    def __init__(self, product, folder):
        self._product = product
        self.folder = folder
        self.ports = {port: str(free_port()) for port in ("5000", "5001", "5002")}
        for name, code in files().items():
            (folder / name).write_text(self.here(code))
        (folder / "sitecustomize.py").write_text(NAMES)
        self._running = []

    def here(self, text):
        """The page's words with the ports of this machine."""
        return re.sub(r"\b500[012]\b", lambda found: self.ports[found[0]], text)

    def made(self, name):
        """Make the application that the page calls *name*; its id and secret."""
        (words,) = [c for c in commands() if c[:2] == ["client", "add"] and c[2] == name]
        told = insula(self._product, *map(self.here, words))
        return {"CLIENT_ID": told["client_id"], "CLIENT_SECRET": told["client_secret"] or ""}

    def start(self, name, **variables):
        """Run a piece of code of the page."""
        process = subprocess.Popen(  # noqa: S603  (the page's own words)
            [sys.executable, name],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(self.folder),
                "ISSUER": self._product.issuer("acme"),
                "API": f"http://127.0.0.1:{self.ports['5001']}/",
                "AUTHLIB_INSECURE_TRANSPORT": "1",
                "BROWSER": "true",
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._running.append(process)
        return process

    def serve(self, name, port, **variables):
        """Run a piece of code that serves; its address, once it answers."""
        process = self.start(name, **variables)
        url = f"http://127.0.0.1:{self.ports[port]}/"
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx2.get(url)
            except httpx2.TransportError:
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return url

    def stop(self):
        for process in self._running:
            process.kill()
            process.communicate()


def insula(product, *words):
    """Run one of the page's commands; what it says."""
    done = cli(product.server.environment, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def run(product):
    """Run one of a page's commands; what it says."""
    return lambda *words: insula(product, *words)


@pytest.fixture
def reader(product, tmp_path):
    reader = Reader(product, tmp_path)
    yield reader
    reader.stop()


@pytest.fixture(scope="session")
def orders(product):
    """The API and its scope, made known by the commands of the page."""
    product.change(  # other tests have a scope of that name
        "delete from insula.scopes where tenant_id = %s and name like 'orders:%%'",
        product.tenant_id("acme"),
    )
    for words in commands():
        if words[:2] in (["resource-server", "add"], ["scope", "add"]):
            insula(product, *words)
