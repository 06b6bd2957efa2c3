"""What an API, a scope and a mapping may be: the rules, without a database."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from insula.accounts.attributes import is_own_name
from insula.oidc.features.scopes import STANDARD
from insula.resource_servers.errors import InvalidResource

_NAME: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,120}\Z")
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*\Z")
#: RFC6749-3.3: printable ASCII without space, quotation mark and backslash.
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}\Z")
_URN: Final = re.compile(r"urn:[a-z0-9][a-z0-9-]{1,31}:[!-~]+\Z", re.IGNORECASE)
_CLAIM: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,119}\Z")
_FORBIDDEN: Final = frozenset('*{}|\\^`<>"#')
_LONGEST_IDENTIFIER: Final = 500
_LONGEST_TITLE, _LONGEST_DESCRIPTION = 120, 300
_MOST_CLAIMS: Final = 50

#: Scopes that begin so are the product's own.
SYSTEM_SCOPES: Final = "insula:"

STANDARD_CLAIMS: Final = frozenset(claim for claims in STANDARD.values() for claim in claims)
#: What a token or an answer says in a sense of its own, and what will be said of groups and roles.
PROTOCOL_CLAIMS: Final = frozenset(
    {
        "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "azp", "auth_time", "nonce", "acr",
        "amr", "at_hash", "c_hash", "s_hash", "sid", "sub_id", "sub_jwk", "cnf", "act", "may_act",
        "scope", "client_id", "events", "txn", "toe", "active", "token_type", "username", "vot",
        "vtm", "authorization_details", "verified_claims", "error", "error_description", "groups",
        "roles", "entitlements", "workspaces",
    }
)  # fmt: skip

Algorithm = Literal["RS256", "ES256", "PS256", "EdDSA"]


class ServerSettings(BaseModel):
    """How tokens for an API are made and asked about, as stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_format: Literal["jwt", "opaque"] = "jwt"
    signing_alg: Algorithm = "ES256"
    access_token_lifetime: int | None = Field(None, ge=60, le=3600)
    with_userinfo: bool = False
    introspection_clients: tuple[str, ...] = ()
    introspection_username: bool = False
    required_acr: str = Field("", max_length=200, pattern=r"^[!-~]*$")
    max_age: int | None = Field(None, ge=0)


def parse_settings(values: Mapping[str, Any]) -> ServerSettings:
    """Read settings from outside. Raises `InvalidResource` naming the member."""
    try:
        return ServerSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidResource(str(first["msg"]), field=".".join(map(str, first["loc"]))) from error


def settings_of(stored: Mapping[str, Any]) -> ServerSettings:
    """
    Read stored settings; what a later release added is left out.

    Raises `InvalidResource` for a value that only another release knows.
    """
    return parse_settings(
        {name: value for name, value in stored.items() if name in ServerSettings.model_fields}
    )


def check_identifier(identifier: str, issuer: str) -> None:
    """
    Allow an https URI or a URN that is not on the tenant's own host (RFC8707-2).

    Raises `InvalidResource`.
    """
    example = "https://api.example.com"

    def refuse(why: str) -> InvalidResource:
        return InvalidResource(why, field="identifier", example=example)

    if len(identifier) > _LONGEST_IDENTIFIER:
        raise refuse(f"may be {_LONGEST_IDENTIFIER} characters long")
    if _FORBIDDEN & set(identifier) or not all("!" <= letter <= "~" for letter in identifier):
        raise refuse("is a URI without a fragment, a pattern or spaces")
    if _URN.match(identifier):
        return
    try:
        parts = urlsplit(identifier)
        _ = parts.port  # parsed when it is asked for
    except ValueError as error:
        raise refuse("is not a URI") from error
    if not identifier.startswith("https://") or not parts.hostname or "@" in parts.netloc:
        raise refuse("is an https address or a URN")
    if parts.hostname == urlsplit(issuer).hostname:
        raise refuse("is on the host of the issuer, which speaks for itself")


def check_server_name(name: str) -> None:
    """Raises `InvalidResource`."""
    if not _NAME.match(name) or not name.strip():
        raise InvalidResource("1 to 120 characters", field="name", example="Reports API")


def check_scope_name(name: str) -> None:
    """Raises `InvalidResource`."""
    example = "reports:read"
    if not _SCOPE.match(name):
        raise InvalidResource("is a word of printable ASCII", field="scope", example=example)
    if name in STANDARD:
        raise InvalidResource("is a scope of OpenID Connect", field="scope", example=example)
    if name.lower().startswith(SYSTEM_SCOPES):
        raise InvalidResource("is a scope of the product", field="scope", example=example)


def check_scope_texts(title: str, description: str) -> None:
    """Raises `InvalidResource`."""
    for field, text, longest in (
        ("title", title, _LONGEST_TITLE),
        ("description", description, _LONGEST_DESCRIPTION),
    ):
        if len(text) > longest or not _TEXT.match(text):
            raise InvalidResource(f"one line of at most {longest} characters", field=field)


def check_scope_claims(claims: Iterable[str], mapped: Iterable[str]) -> None:
    """Allow standard claims and those of *mapped*. Raises `InvalidResource`."""
    wanted = list(claims)
    unknown = [name for name in wanted if name not in (STANDARD_CLAIMS - {"sub"}).union(mapped)]
    if unknown:
        raise InvalidResource(
            f"{unknown[0]} is neither a standard claim nor mapped; map it with `insula claim map`",
            field="claims",
        )
    if len(wanted) > _MOST_CLAIMS or len(wanted) != len(set(wanted)):
        raise InvalidResource(f"at most {_MOST_CLAIMS}, each once", field="claims")


def check_mapping(claim: str, attribute: str) -> None:
    """Raises `InvalidResource`."""
    example = "department"
    if not _CLAIM.match(claim):
        raise InvalidResource("is no name of a claim", field="claim", example=example)
    if claim in STANDARD_CLAIMS or claim in PROTOCOL_CLAIMS:
        raise InvalidResource("has a meaning already", field="claim", example=example)
    if not is_own_name(attribute):
        raise InvalidResource("is no attribute of a person", field="attribute", example=example)
