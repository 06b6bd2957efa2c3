"""
What a document may do to clients where it comes over the management API.

A client can be given anything that the API can do. So whoever sends a document is held to what they
may do themselves, as they are where they manage one client (features.md Z02); and who may do
dangerous acts over the API is not settled over the API (CR-6).
"""

from insula.clients.models import Metadata
from insula.configuration.errors import InvalidDocument
from insula.configuration.models import ClientEntry
from insula.resource_servers.builtin import check_power

_MARK = "allow_dangerous_api"


def check(held: frozenset[str] | None, former: ClientEntry | None, wanted: Metadata | None) -> None:
    """
    Let a client be made, changed or taken away; *held* is None for an operator, who may.

    Raises `ScopesNotHeld`, `InvalidDocument`.
    """
    if held is None:
        return
    before = Metadata() if former is None else Metadata.model_validate(former.metadata)
    check_power(held, before.scopes, () if wanted is None else wanted.scopes)
    if wanted is not None and wanted.allow_dangerous_api != before.allow_dangerous_api:
        raise InvalidDocument("is settled by an operator", field=_MARK, code="not_over_the_api")
