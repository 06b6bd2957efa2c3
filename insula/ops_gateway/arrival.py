"""
How a request arrived, told to whoever proves that the installation is theirs.

`insula check deployment` sends forwarded headers of its own invention through the proxy and asks
here what became of them.  The answer names our own proxies, so it needs a proof that only a holder
of INSULA_HMAC_KEY can make, good for a minute.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from insula.tenancy.hosts import Networks

PATH: Final = "/arrival"
HEADER: Final = "x-insula-check"
_LIFE: Final = 60.0


def prove(key: bytes, now: float) -> str:
    """Write the proof that *key* is known, for the header."""
    moment = str(int(now))
    return f"{moment}.{_seal(key, moment)}"


def is_proof(key: bytes, text: str, now: float) -> bool:
    """Whether *text* was made with *key* within the last minute, or the next by another's clock."""
    moment, _, seal = text.partition(".")
    if not (moment.isascii() and moment.isdigit() and seal.isascii()):
        return False
    return hmac.compare_digest(seal, _seal(key, moment)) and abs(now - int(moment)) <= _LIFE


def _seal(key: bytes, moment: str) -> str:
    return hmac.digest(key, f"ops arrival\0{moment}".encode(), hashlib.sha256).hex()


def describe(scope: Mapping[str, Any], proxies: Networks, header_peers: Networks) -> dict[str, Any]:
    """What the edge and tenancy made of a request; of other headers the names alone."""
    peer = scope["client"][0] if scope.get("client") else ""
    by_edge = bool(scope.get("insula.edge_trusted"))
    headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
    return {
        "peer": peer,
        "caller": scope.get("insula.client_ip", ""),
        "proxy_secret": by_edge,
        "proxy_trusted": by_edge and peer in proxies,
        "tenant_header_counts": by_edge and peer in header_peers,
        "forwarded_for": headers.get("x-forwarded-for", b"").decode("latin-1"),
        "headers": sorted(headers),
    }
