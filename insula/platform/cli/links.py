"""How commands tell an activation link: once, with its end."""

from typing import Any

from insula.accounts.activation.models import Link


def linked(link: Link, issuer: str) -> dict[str, Any]:
    """What programs are told of a new link."""
    return {
        "id": link.user_id,
        "activation_url": link.url(issuer),
        "expires_at": link.expires_at,
    }


def in_words(link: Link, issuer: str, who: str) -> str:
    """What people are told of a new link."""
    return (
        f"{who} chooses a password here, once, until {link.expires_at:%Y-%m-%d %H:%M} UTC."
        f" The link is shown once:\n{link.url(issuer)}"
    )
