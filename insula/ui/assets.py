"""
The static files, in memory and under the hash of the whole tree.

One hash for all of them, and not one for each, because stylesheets name fonts by
relative addresses: these keep working, and a changed font changes the address of
the stylesheet that loads it.  A request is answered from a dictionary; no path
that a client sends ever reaches the file system.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).parent / "static"
BUILD = "run `python -m insula.ui.build`"

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_BUILT = ("vendor/fonts.css", "vendor/icons.svg")
_SYMBOL = re.compile(rb'<symbol id="([a-z0-9-]+)"')


class AssetsMissing(RuntimeError):
    """The fonts and icons were not built, or were built before a template named a new icon."""


@dataclass(frozen=True)
class _File:
    body: bytes
    headers: dict[str, str]


class Assets:
    """
    The ASGI application that serves the files, and the names under which it does.

    Mount it at "/static".  The addresses it hands out are absolute paths.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        tree = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in _CONTENT_TYPES and path.is_file()
        }
        for name in _BUILT:
            if name not in tree:
                raise AssetsMissing(f"static file {name} is missing: {BUILD}")
        self.hash = _hash_of(tree)
        self._files = {self.url(name): _file(name, body) for name, body in tree.items()}
        self._icons = {found.decode() for found in _SYMBOL.findall(tree["vendor/icons.svg"])}

    def url(self, name: str) -> str:
        return f"/static/{self.hash}/{name}"

    def icon(self, name: str) -> str:
        """Address a symbol of the sprite; a typing error must not end as an invisible icon."""
        if name not in self._icons:
            raise AssetsMissing(f"icon {name!r} is not in the sprite: {BUILD}")
        return f"{self.url('vendor/icons.svg')}#{name}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Request(scope))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        file = self._files.get(request.scope["path"])
        if file is None:
            return PlainTextResponse("Not found", 404, {"cache-control": "no-store"})
        if request.method not in {"GET", "HEAD"}:
            return PlainTextResponse("Method not allowed", 405, {"allow": "GET, HEAD"})
        if file.headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=file.headers)
        # uvicorn leaves out the body of an answer to HEAD, other servers need not.
        response = Response(file.body, headers=file.headers)
        if request.method == "HEAD":
            response.body = b""
        return response


@cache
def assets() -> Assets:
    """Give the product's own files, read at first use."""
    return Assets()


def _hash_of(tree: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, body in tree.items():
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()[:12]


def _file(name: str, body: bytes) -> _File:
    headers = {
        "content-type": _CONTENT_TYPES[Path(name).suffix],
        "cache-control": "public, max-age=31536000, immutable",
        "etag": f'"{hashlib.sha256(body).hexdigest()[:16]}"',
        "x-content-type-options": "nosniff",
    }
    return _File(body, headers)
