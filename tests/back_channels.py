"""Hosts of applications that are told of sign-outs, each notice as it came."""

import contextlib
import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import jwt
from serving import ROOT, ZYGOTE
from spine import until


@dataclass(frozen=True)
class Notice:
    """One POST: where, when (monotonic seconds), and what."""

    path: str
    at: float
    content_type: str
    form: dict

    @property
    def token(self):
        (token,) = self.form["logout_token"]
        return token

    @property
    def says(self):
        return jwt.decode(self.token, options={"verify_signature": False})


class BackChannel:
    """
    A TLS server on this machine, for any number of applications: each has a path of its own.

    *answers* are the statuses that a path answers with, one after another, and then 200; *silent*
    paths take the request and never answer.
    """

    def __init__(self, authority):
        self.authority = authority
        self.notices = []
        self.answers = {}
        self.silent = set()
        self._over = threading.Event()
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                content_type = self.headers["content-type"]
                notice = Notice(self.path, time.monotonic(), content_type, parse_qs(body))
                channel.notices.append(notice)
                if self.path in channel.silent:
                    channel._over.wait(30)
                    return
                waiting = channel.answers.get(self.path)
                self.send_response(waiting.pop(0) if waiting else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = self.authority.context("127.0.0.1")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def name(self):
        return f"127.0.0.1:{self._server.server_address[1]}"

    def url(self, path):
        return f"https://{self.name}{path}"

    def to(self, path):
        """What was sent to one application."""
        return [notice for notice in self.notices if notice.path == path]

    def wait_for(self, path, n=1, seconds=10):
        """The notices to *path*, once there are *n* of them."""
        until(seconds, lambda: len(self.to(path)) >= n)
        return self.to(path)

    def close(self):
        self._over.set()
        with contextlib.suppress(OSError):
            self._server.shutdown()
        self._server.server_close()


def reaching(*channels):
    """What lets a worker reach them."""
    return {
        "INSULA_OUTBOUND_ALLOW": ",".join(channel.name for channel in channels),
        "INSULA_OUTBOUND_CA_FILE": str(channels[0].authority.pem),
    }


@contextmanager
def telling(environment, log):
    """`insula worker` as a process of its own, that writes to the file *log*."""
    with log.open("wb") as out, Path(os.devnull).open() as nothing:
        process = ZYGOTE.start(
            ["worker"],
            env=environment,
            cwd=ROOT,
            stdin=nothing.fileno(),
            stdout=out.fileno(),
            stderr=out.fileno(),
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)


def has_begun(product, process):
    """Whether a worker has said to the database that it works."""
    assert process.poll() is None, "the worker ended"
    return bool(product.rows("select 1 from insula_jobs.procrastinate_workers"))


def verified(product, slug, app, notice, alg="ES256"):
    """The claims of a logout token, judged as OIDCBCL-2.6 says by the tenant's published keys."""
    header = jwt.get_unverified_header(notice.token)
    assert header == {"alg": alg, "typ": "logout+jwt", "kid": header["kid"]}
    with product.http() as http:
        keys = http.get(product.url(slug, "/oauth2/jwks")).json()["keys"]
    (key,) = [key for key in keys if key["kid"] == header["kid"]]
    return jwt.decode(
        notice.token,
        jwt.PyJWK(key, alg),
        algorithms=[alg],
        audience=app.client_id,
        issuer=product.issuer(slug),
        options={"require": ["iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"]},
    )


def delivered(product, sid, seconds=10):
    """Wait until nothing of a sign-in is left to be told."""
    until(
        seconds,
        lambda: (
            not product.rows(
                "select 1 from insula.session_clients where sid = %s and announced_at is not null"
                " and delivered_at is null",
                sid,
            )
        ),
    )
