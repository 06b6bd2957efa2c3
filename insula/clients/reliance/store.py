"""What clients rely on, told by their settings."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text

from insula.tenancy.db import Connection, Row

#: What a client can rely on, as a condition on its settings.
_RELIES: Final[Mapping[str, str]] = {
    "device": "metadata -> 'grant_types' ? 'urn:ietf:params:oauth:grant-type:device_code'",
    "token_exchange": "metadata -> 'grant_types' ? 'urn:ietf:params:oauth:grant-type:token-exchange'",
    "client_credentials": "metadata -> 'grant_types' ? 'client_credentials'",
    "front_channel": "metadata -> 'response_types' ?| array['id_token', 'id_token token']",
    "request_objects": "metadata @> '{\"require_signed_request_object\": true}'"
    " or jsonb_array_length(metadata -> 'request_uris') > 0",
    "par": "metadata @> '{\"require_pushed_authorization_requests\": true}'",
    "dpop": "metadata @> '{\"dpop_bound_access_tokens\": true}'",
    "backchannel_logout": "metadata ->> 'backchannel_logout_uri' <> ''",
    "frontchannel_logout": "metadata ->> 'frontchannel_logout_uri' <> ''",
    "no_par": "metadata -> 'grant_types' ? 'authorization_code'"
    " and metadata @> '{\"require_pushed_authorization_requests\": false}'",
    "legacy": "metadata ->> 'profile' = 'legacy'",
    "looser": "metadata ->> 'profile' <> 'oauth21'",
    "no_pkce": "metadata -> 'grant_types' ? 'authorization_code'"
    " and metadata ->> 'profile' <> 'oauth21'"
    " and metadata ->> 'token_endpoint_auth_method' <> 'none'",
    "no_signature": "metadata -> 'grant_types' ? 'authorization_code'"
    " and metadata @> '{\"require_signed_request_object\": false}'",
    "scopes": "metadata -> 'scopes' ?| cast(:words as text[])",
    "no_dpop": "metadata @> '{\"dpop_bound_access_tokens\": false}'",
}
_LOOKED_AT = """
    from (select name, client_id, metadata from insula.clients
           where status = 'active' order by client_id limit :most) looked
"""


def _bound(condition: str, words: Collection[str], **limits: int) -> dict[str, Any]:
    return {**limits, **({"words": list(words)} if ":words" in condition else {})}


async def count(db: Connection, on: str, words: Collection[str], most: int) -> Row:
    """Of the first *most* active clients: how many rely *on* something, and how many there are."""
    condition = _RELIES[on]
    return (
        await db.execute(
            text(
                f"select count(*) filter (where {condition}) as affected, count(*) as total"
                f" {_LOOKED_AT}"
            ),
            _bound(condition, words, most=most),
        )
    ).one()


async def names(
    db: Connection, on: str, words: Collection[str], most: int, limit: int
) -> Sequence[str]:
    """The names of the first *limit* of those."""
    condition = _RELIES[on]
    rows = await db.execute(
        text(f"select name {_LOOKED_AT} where {condition} order by client_id limit :limit"),
        _bound(condition, words, most=most, limit=limit),
    )
    return rows.scalars().all()
