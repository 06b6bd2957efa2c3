"""The kinds of application that others write."""

from dataclasses import dataclass
from functools import cache

from signed import Key

#: How an application proves itself, and how its id_tokens are signed.
KINDS = {
    "RS256, client_secret_basic": ("client_secret_basic", "RS256"),
    "ES256, client_secret_post": ("client_secret_post", "ES256"),
    "ES256, private_key_jwt": ("private_key_jwt", "ES256"),
    "RS256, private_key_jwt": ("private_key_jwt", "RS256"),
    "ES256, no secret": ("none", "ES256"),
}

#: What a tenant of our own lets them do: register themselves, with a token or freely.
REGISTERING = {"vandelay": "token", "wonka": "open"}

#: An API of every tenant, and its scope.
API, API_SCOPE = "https://orders.example/v1", "orders:read"

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid profile email offline_access"


@cache
def own_key(alg):
    """The key by which applications of this run prove themselves and sign what they ask."""
    return Key(alg, kid=f"own-{alg}")


@dataclass(frozen=True)
class Application:
    """A registered application as the one who runs it knows it."""

    client_id: str
    secret: str | None
    method: str
    alg: str

    @property
    def key(self):
        return own_key(self.alg)

    @property
    def private_jwk(self):
        """Its key as a program wants it."""
        return {**self.key.private_jwk, "kid": self.key.kid, "alg": self.alg}

    @property
    def asked(self):
        """What a program in JavaScript is told about it."""
        return {
            "client_id": self.client_id,
            "client_secret": self.secret,
            "method": self.method,
            "alg": self.alg,
            "key": self.private_jwk,
        }
