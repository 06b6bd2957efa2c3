"""The public keys of an issuer: RFC7517-5, with the headers of protocol.md 5.6."""

from insula.oidc.endpoints.documents import Document
from insula.oidc.issuer import Issuer
from insula.oidc.signing import compact_json


def document(issuer: Issuer) -> Document:
    body = compact_json({"keys": [key.members for key in issuer.keys.published]}).encode()
    return Document(body, b"application/jwk-set+json", b"public, max-age=300, must-revalidate")
