"""What a client would be told of a person, found without issuing anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from insula.accounts import service as accounts
from insula.accounts.errors import NoSuchUser
from insula.clients import service as clients
from insula.clients.errors import NoSuchClient
from insula.config_overrides import service as config_overrides
from insula.config_overrides.resolution import resolve
from insula.kernel.errors import Invalid
from insula.oidc.errors import OAuthError
from insula.oidc.features.claims import of_scopes
from insula.oidc.features.resources import Target, read_resources, target_of
from insula.oidc.features.scopes import OPENID, in_order, read_scopes
from insula.oidc.models import Client
from insula.resource_servers.builtin import with_management_api
from insula.resource_servers.catalogue import Catalogue
from insula.resource_servers.servers import load
from insula.resource_servers.settings import DeveloperApi, OfferedScopes
from insula.tenancy.db import Tenant


@dataclass(frozen=True, slots=True)
class AccessTokenPreview:
    """One access token: whom it is for, and what it would say."""

    audience: tuple[str, ...]
    token_format: str
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Preview:
    """
    What a client would get for *scopes*, if the person allowed them all.

    *id_token* and *userinfo* are None when there would be none. A pairwise `sub` is left out: it
    is made with a key that only the provider has.
    """

    scopes: tuple[str, ...]
    id_token: Mapping[str, Any] | None
    userinfo: Mapping[str, Any] | None
    access_tokens: tuple[AccessTokenPreview, ...]


async def preview(
    tenant: Tenant, client_id: str, user: str, scopes: Sequence[str] | None = None
) -> Preview:
    """
    Show what *client_id* would be told of *user*, a user name or address.

    *scopes* are all the client's unless given. Raises `NoSuchClient`, `NoSuchUser`, and `Invalid`
    for scopes that the client would be refused.
    """
    client = await clients.find(tenant, client_id)
    if client is None:
        raise NoSuchClient("No active client of that id in this tenant.")
    layers = await config_overrides.load(tenant)
    offered = resolve(OfferedScopes, layers).supported_scopes
    catalogue = with_management_api(
        (await load(tenant)).offering(offered), tenant, resolve(DeveloperApi, layers)
    )
    async with tenant.transaction() as db:
        found = (await accounts.find(db, user)).user
        if found is None:
            raise NoSuchUser("No such user in this tenant.")
        person = await accounts.claims(db, found.id, catalogue.mappings)
    try:
        return compute(tenant.issuer, client, found.id, person, catalogue, scopes)
    except OAuthError as refusal:
        raise Invalid(refusal.description, field="scope") from refusal


def compute(  # noqa: PLR0913  (what a token is about, and for whom)
    issuer: str,
    client: Client,
    user_id: UUID,
    person: Mapping[str, Any],
    catalogue: Catalogue,
    scopes: Sequence[str] | None = None,
) -> Preview:
    """Apply the rules of the engine to *person*. Raises `OAuthError`."""
    asked = {"scope": " ".join(client.scopes if scopes is None else scopes)}
    granted = read_scopes(asked, client, catalogue.scopes)
    names = read_resources({}, client, granted, catalogue.resources, issuer)
    targets = [
        target_of(catalogue.resources.get(name), granted, catalogue.resources)
        for name in names or ("",)
    ]
    sub = {"sub": str(user_id)} if client.subject_type == "public" else {}
    told = of_scopes(person, granted, catalogue.scopes)
    by_id_token = client.claims_in_id_token or client.response_types == {"id_token"}
    tokens = tuple(_access_token(issuer, client, target, sub, catalogue) for target in targets)
    reached = [t for t, token in zip(targets, tokens, strict=True) if issuer in token.audience]
    return Preview(
        scopes=in_order(granted, catalogue.scopes),
        id_token={**(told if by_id_token else {}), **sub} if OPENID in granted else None,
        userinfo=next(
            (
                {**of_scopes(person, target.scopes, catalogue.scopes), **sub}
                for target in reached
                if OPENID in target.scopes
            ),
            None,
        ),
        access_tokens=tokens,
    )


def _access_token(
    issuer: str, client: Client, target: Target, sub: Mapping[str, Any], catalogue: Catalogue
) -> AccessTokenPreview:
    resource = target.resource
    if resource is None:
        audience, kind = (issuer,), client.access_token_format
    else:
        also = (issuer,) if resource.with_userinfo else ()
        audience, kind = (resource.identifier, *also), resource.token_format
    scope = " ".join(in_order(target.scopes, catalogue.scopes))
    says = {"client_id": client.client_id, **({"scope": scope} if scope else {}), **sub}
    return AccessTokenPreview(audience, kind, says)
