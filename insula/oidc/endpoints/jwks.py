"""The public keys of an issuer: RFC7517-5, with the headers of protocol.md 5.6."""

import json

from insula.oidc.endpoints.documents import Document
from insula.oidc.issuer import Issuer

#: Nothing else of a key is ever published, whatever it was stored with.
_MEMBERS = ("kty", "use", "alg", "kid", "n", "e", "crv", "x", "y")


def document(issuer: Issuer) -> Document:
    keys = [
        {member: key.jwk[member] for member in _MEMBERS if member in key.jwk}
        for key in issuer.keys.published
    ]
    body = json.dumps({"keys": keys}, separators=(",", ":")).encode()
    return Document(body, b"application/jwk-set+json", b"public, max-age=300, must-revalidate")
