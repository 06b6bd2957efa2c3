"""An https host of somebody else on this machine, for a server that is a process of its own."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hosts_of_others import Authority


class TlsHost:
    """Answers with its *pages*, (content type, body) by path, and counts who asked for what."""

    def __init__(self, port, authority):
        self.port = port
        self.authority = authority
        self.pages = {}
        self.asked = []

    @property
    def name(self):
        """What an allow-list calls it."""
        return f"127.0.0.1:{self.port}"

    def url(self, path):
        return f"https://{self.name}{path}"

    def page(self, path, body, content_type="application/json"):
        """Put something at *path*; returns its address."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.pages[path] = (content_type, raw)
        return self.url(path)

    @property
    def variables(self):
        """What lets an installation reach it, outside production."""
        return {
            "INSULA_OUTBOUND_ALLOW": self.name,
            "INSULA_OUTBOUND_CA_FILE": str(self.authority.pem),
        }


@contextmanager
def tls_host(folder):
    """A host that serves while the context lasts."""
    authority = Authority(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            host.asked.append(self.path)
            content_type, body = host.pages.get(self.path, ("text/plain", None))
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = authority.context("127.0.0.1").wrap_socket(server.socket, server_side=True)
    host = TlsHost(server.server_address[1], authority)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
