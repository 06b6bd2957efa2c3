"""
What a registration refers to, fetched before it is believed (OIDCR-2, OIDCR-5).

Everything is fetched through the one door, outside of any transaction.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from insula.clients.errors import InvalidClientMetadata
from insula.clients.key_sets import read_key_set
from insula.clients.models import Metadata
from insula.outbound.door import Door
from insula.outbound.errors import OutboundError

_LARGEST: Final = 64 * 1024
_PRIVATE: Final = frozenset({"d", "k"})


async def check_sector(door: Door, metadata: Metadata, party: str) -> None:
    """
    See that the sector's document names every redirect URI of the client (OIDCR-5, DR-7).

    A client without redirects is known by its `jwks_uri` there. Raises `InvalidClientMetadata`.
    """
    uri = metadata.sector_identifier_uri
    if not uri:
        return
    try:
        fetched = await door.fetch(
            uri,
            limit=_LARGEST,
            accept=("application/json",),
            purpose="sector_identifier",
            party=party,
        )
    except OutboundError as error:
        raise _refuse("The document cannot be fetched.") from error
    try:
        listed = json.loads(fetched.body.decode())
    except (ValueError, RecursionError) as error:
        raise _refuse("The document is no JSON.") from error
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise _refuse("The document is no array of addresses.")
    needed = set(metadata.redirect_uris) or {metadata.jwks_uri}
    if not needed <= set(listed):
        raise _refuse("The document does not hold every address of the client.")


def _refuse(why: str) -> InvalidClientMetadata:
    return InvalidClientMetadata(why, field="sector_identifier_uri")


def check_published(keys: Sequence[Mapping[str, Any]]) -> None:
    """
    See that a published key set is one to work with: nothing private, and something usable.

    Other keys may be there for others. Raises `InvalidClientMetadata`.
    """
    if any(_PRIVATE & key.keys() for key in keys):
        raise InvalidClientMetadata("publishes a private key", field="jwks_uri")
    if not any(_is_usable(key) for key in keys):
        raise InvalidClientMetadata("publishes no key that can be used", field="jwks_uri")


def _is_usable(key: Mapping[str, Any]) -> bool:
    try:
        read_key_set({"keys": [key]})
    except InvalidClientMetadata:
        return False
    return True
