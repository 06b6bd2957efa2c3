"""
Looking whether a domain's owner has published what proves it, in one of three places.

A domain that leads here already has no web server of its own any more, so for one that a tenant
holds the file that Insula serves on it is as good as the tag or file of before: it shows that the
domain still leads here.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from insula.outbound.door import Door
from insula.outbound.errors import BadAnswer, OutboundError, Unreachable
from insula.outbound.errors import Busy as DoorBusy
from insula.tenants.domains.models import (
    Method,
    file_path,
    meta_name,
    proof_text,
    record_name,
)
from insula.tenants.domains.txt_records import NoAnswer, NoRecords, TxtRecords

_PURPOSE: Final = "domain_proof"
_PAGE_LIMIT: Final = 512 * 1024
_FILE_LIMIT: Final = 4 * 1024
#: Of what was found, so much is repeated.
_QUOTED: Final = 120
_MOST_QUOTED: Final = 3
_HIDDEN = re.compile(r"[^\x20-\x7e]+")
_TAG = re.compile(r"<(?:(?P<end>/head|body)\b|meta\s(?P<attributes>[^<>]{1,1000})>)", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?P<name>[a-z-]{1,40})\s{0,8}=\s{0,8}"
    r"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'<>=]+))",
    re.IGNORECASE,
)

#: *silent*: nobody answered, which proves nothing either way.
Outcome = Literal["proven", "refuted", "silent"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to; *found* says in a sentence why a domain is not proven."""

    outcome: Outcome
    found: str = ""


_PROVEN: Final = Finding("proven")


class Prover:
    """Checks proofs: TXT records by name servers, pages and files through the guarded door."""

    def __init__(self, door: Door, records: TxtRecords) -> None:
        self._door = door
        self._records = records

    async def check(
        self, host: str, method: Method, token: str, *, party: str, held: bool = False
    ) -> Finding:
        """Look once. *party* is on whose behalf, a tenant's id; *held* that the tenant has it."""
        if method == "dns":
            return await self._dns(host, token)
        if method == "file":
            return await self._file(host, token, party)
        finding = await self._meta(host, token, party)
        if finding is not _PROVEN and held and await self._file(host, token, party) is _PROVEN:
            return _PROVEN
        return finding

    async def _dns(self, host: str, token: str) -> Finding:
        name, wanted = record_name(host), proof_text(token)
        try:
            texts = await self._records.of(name)
        except NoRecords:
            return Finding("refuted", f"No TXT record at {name}.")
        except NoAnswer as error:
            return Finding("silent", f"Looking for a TXT record at {name}: {error}.")
        if wanted in (text.strip() for text in texts):
            return _PROVEN
        texts.sort(key=lambda text: not text.startswith(meta_name()))  # what looks like ours first
        return Finding("refuted", f"No such TXT record at {name}; found: {_quoted(texts)}.")

    async def _file(self, host: str, token: str, party: str) -> Finding:
        url = f"https://{host}{file_path(token)}"
        try:
            file = await self._door.fetch(
                url, limit=_FILE_LIMIT, accept=(), purpose=_PURPOSE, party=party
            )
        except OutboundError as error:
            return _refused(url, error)
        text = file.body.decode("utf-8", "replace").strip()
        if text == proof_text(token):
            return _PROVEN
        return Finding(
            "refuted", f"{url} does not hold {proof_text(token)}; found: {_quoted([text])}."
        )

    async def _meta(self, host: str, token: str, party: str) -> Finding:
        url = f"https://{host}/"
        try:
            page = await self._door.fetch(
                url, limit=_PAGE_LIMIT, accept=("text/html",), purpose=_PURPOSE, party=party
            )
        except OutboundError as error:
            return _refused(url, error)
        said = _tags_in(page.body.decode("utf-8", "replace"))
        if token in said:
            return _PROVEN
        if said:
            return Finding("refuted", f"The meta tag {meta_name()} of {url} says {_quoted(said)}.")
        return Finding("refuted", f"No meta tag {meta_name()} in the head of {url}.")


def _refused(url: str, error: OutboundError) -> Finding:
    silent = isinstance(error, (Unreachable, DoorBusy))
    more = f" ({error.detail})" if isinstance(error, BadAnswer) else ""
    return Finding("silent" if silent else "refuted", f"{url}: {error.description}{more}")


def _quoted(texts: list[str]) -> str:
    """What was found, short, and without characters that show nothing or something else."""
    shown = [f"“{_HIDDEN.sub('?', text)[:_QUOTED]}”" for text in texts[:_MOST_QUOTED]]
    more = len(texts) - len(shown)
    return ", ".join(shown or ["nothing"]) + (f" and {more} more" if more else "")


def _tags_in(page: str) -> list[str]:
    """
    What our meta tags in a page's head say; what its visitors write stands in its body.

    Read with bounded expressions and not by a parser of HTML, since the page may be hostile.
    """
    said = []
    for found in _TAG.finditer(page):
        if found["end"]:
            break
        values = {
            each["name"].lower(): each["double"] or each["single"] or each["bare"] or ""
            for each in _ATTRIBUTE.finditer(found["attributes"])
        }
        if values.get("name", "").lower() == meta_name():
            said.append(values.get("content", "").strip())
    return said
