"""Addresses of web pages that people are sent to."""

from urllib.parse import urlsplit

_LONGEST = 2000


def https_page(uri: str) -> str:
    """*uri* if it is an https address or empty. Raises `ValueError`."""
    if not uri:
        return uri
    parts = urlsplit(uri)
    plain = len(uri) <= _LONGEST and all("!" <= letter <= "~" for letter in uri)
    if not plain or parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise ValueError("must be an https address, such as https://www.example.com/help")
    return uri
