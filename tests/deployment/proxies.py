"""Proxies before the web container: one that can misbehave, and nginx and Caddy as in deploy/."""

import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from containers import BASE
from hosts_of_others import Authority
from serving import ROOT

from insula.platform.embedded.ports import free_port

HOSTS = (BASE, f"*.{BASE}")


def as_it_should_be(headers, *, secret):
    """The headers that a good proxy sends, of those it got."""
    dropped = {"connection", "x-forwarded-for", "x-tenant-id", "x-insula-proxy-secret"}
    kept = {name: text for name, text in headers.items() if name.lower() not in dropped}
    return {**kept, "X-Forwarded-For": "203.0.113.9", "X-Insula-Proxy-Secret": secret}


@contextlib.contextmanager
def tls_proxy(folder, backend, headers_of, *, hosts=HOSTS, days=90):
    """A proxy on a port of its own, which passes on what *headers_of* makes of the headers."""
    authority = Authority(folder, days)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            onward = http.client.HTTPConnection("127.0.0.1", backend, timeout=5)
            onward.request("GET", self.path, headers=headers_of(self.headers))
            answer = onward.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            onward.close()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # a handshake that was refused
    server.socket = authority.context(*hosts).wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1], authority.pem
    finally:
        server.shutdown()
        server.server_close()


def _certificate(folder):
    """Files for *HOSTS*, and who signed them."""
    authority = Authority(folder, 90)
    authority.context(*HOSTS)  # writes the certificate and its key into one file
    return folder / f"{BASE}.pem", authority.pem


def _example(path, **replaced):
    """An example of ours with some of its words replaced, each of which must stand there."""
    text = (ROOT / path).read_text()
    for old, new in replaced.values():
        assert old in text, f"{path} has no {old}"
        text = text.replace(old, str(new))
    return text


def nginx_files(folder, backend, secret):
    """The example as nginx runs it from *folder*: its main file, its port, its authority."""
    certificate, authority = _certificate(folder)
    port, plain = free_port(), free_port()
    (folder / "secret.conf").write_text(f'proxy_set_header X-Insula-Proxy-Secret "{secret}";\n')
    example = _example(
        "deploy/nginx/insula.conf",
        secret=("/etc/nginx/insula-proxy-secret.conf", folder / "secret.conf"),
        key=("/etc/ssl/insula/auth.example.com.key", certificate),
        certificate=("/etc/ssl/insula/auth.example.com.pem", certificate),
        backend=("server 127.0.0.1:8000", f"server 127.0.0.1:{backend}"),
        tls=("listen 443", f"listen 127.0.0.1:{port}"),
        plain=("listen 80", f"listen 127.0.0.1:{plain}"),
    )
    example = re.sub(r"\n *listen \[::\].*", "", example)
    temporary = "\n".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nuser root;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}\n{example}\n}}\n"
    )
    return main, port, authority


def caddy_files(folder, backend, secret):  # noqa: ARG001  (it takes the secret from its environment)
    """The example as Caddy runs it: its file, its port, its authority."""
    certificate, authority = _certificate(folder)
    port = free_port()
    example = _example(
        "deploy/caddy/Caddyfile",
        tls=(
            "tls /etc/ssl/insula/auth.example.com.pem /etc/ssl/insula/auth.example.com.key",
            f"tls {certificate} {certificate}",
        ),
        backend=("127.0.0.1:8000", f"127.0.0.1:{backend}"),
        names=("\nauth.example.com, *.auth.example.com", f"\n{BASE}:{port}, *.{BASE}:{port}"),
    )
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    file = folder / "Caddyfile"
    file.write_text(options + example)
    return file, port, authority


KINDS = {
    "nginx": (
        nginx_files,
        lambda file: ["nginx", "-t", "-q", "-c", str(file)],
        lambda file: ["nginx", "-c", str(file)],
    ),
    "caddy": (
        caddy_files,
        lambda file: ["caddy", "validate", "--config", str(file), "--adapter", "caddyfile"],
        lambda file: ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"],
    ),
}


def program(kind):
    """Where it is, if it is on this machine; Debian keeps nginx where only root looks."""
    return shutil.which(kind, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def running(kind, folder, backend, secret):
    """The program *kind* with our example: its port and authority, once it listens."""
    files, validate, run = KINDS[kind]
    file, port, authority = files(folder, backend, secret)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder),
        "INSULA_PROXY_SECRET": secret,
    }  # fmt: skip
    executable = program(kind)
    judged = subprocess.run(  # noqa: S603  (the program that was found)
        [executable, *validate(file)[1:]], env=environment, capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stderr
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  (the program that was found)
            [executable, *run(file)[1:]], env=environment, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 15
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield port, authority
    finally:
        process.terminate()
        process.wait(10)
