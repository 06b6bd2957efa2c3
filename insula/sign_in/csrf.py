"""
Who may post a form: a token bound to this tenant, this browser and its session, and an origin.

The token is an authentication code over the cookies that come with the form, so nothing is
stored and a token from another browser, tenant or session is worth nothing.
"""

import base64
import hashlib
import hmac
from urllib.parse import urlsplit
from uuid import UUID

from insula.sign_in.errors import CsrfFailed


def token(key: bytes, tenant_id: UUID, browser: str, session: str) -> str:
    """The token of a form; *browser* and *session* are the raw cookie values."""
    message = f"csrf\0{tenant_id}\0{browser}\0{session}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, message, hashlib.sha256)).decode().rstrip("=")


def check_token(expected: str, presented: str | None) -> None:
    """Raise `CsrfFailed` unless the form carried its token."""
    if not presented or not hmac.compare_digest(expected.encode(), presented.encode()):
        raise CsrfFailed("The form was not sent from this page.", detail="csrf token")


def check_origin(host: str, origin: str | None, fetch_site: str | None) -> None:
    """
    Raise `CsrfFailed` when the browser says that another site sent this.

    *host* is the host that the request was resolved by; ports do not tell sites of ours apart.
    Our pages send no referrer, and a form on such a page has the origin "null" even when it is
    our own: then Sec-Fetch-Site decides, and the token in any case.
    """
    if origin not in (None, "null"):
        try:
            named = urlsplit(origin).hostname
        except ValueError:
            named = None
        if named != host:
            raise CsrfFailed("The form was sent from another site.", detail="origin")
    elif fetch_site not in (None, "same-origin", "none"):
        raise CsrfFailed("The form was sent from another site.", detail="sec-fetch-site")
