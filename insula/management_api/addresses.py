"""Addresses in queries."""

import ipaddress

from insula.management_api.problems import Refusal, WrongField


def checked_address(text: str | None) -> str | None:
    """An IP address as it is kept. Raises `Refusal`."""
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise Refusal(
            422,
            "validation_failed",
            "ip is not an address.",
            errors=[WrongField(field="ip", code="ip_address")],
        ) from error
