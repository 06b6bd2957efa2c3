"""Lines of the record as people read them: who did what, with what mark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from insula.audit.models import masked
from insula.tenancy.db import Row

#: By event: what was done, as it goes between who and whom.
_VERBS: Final[Mapping[str, str]] = {
    "tenant.created": "created tenant",
    "tenant.updated": "changed tenant",
    "tenant.suspended": "suspended tenant",
    "tenant.activated": "activated tenant",
    "tenant.archived": "archived tenant",
    "tenant.viewed_by_platform": "looked at the people of tenant",
    "tenant.resolution_conflict": "was named two tenants at once",
    "domain.added": "began to prove the domain",
    "domain.verified": "proved the domain",
    "domain.verification_failed": "found no proof of the domain",
    "domain.deleted": "took away the domain",
    "admin.logged_in": "signed in as an administrator",
    "admin.logged_out": "signed out as an administrator",
    "admin.login_failed": "could not sign in as an administrator:",
    "step_up.verified": "confirmed who they are",
    "step_up.failed": "could not confirm who they are",
    "user.logged_in": "signed in",
    "user.logged_out": "signed out",
    "user.login_failed": "could not sign in:",
    "user.created": "created",
    "user.updated": "changed",
    "user.disabled": "disabled",
    "user.enabled": "enabled",
    "user.locked": "locked",
    "user.unlocked": "unlocked",
    "user.password_changed": "chose a new password",
    "user.password_reset_forced": "set a new password for",
    "user.password_reset_sent": "made a link to choose a password for",
    "user.password_reset_completed": "chose a password by a link",
    "user.email_verified": "confirmed their address",
    "user.role_granted": "gave a role to",
    "user.role_revoked": "took a role from",
    "client.created": "registered application",
    "client.updated": "changed application",
    "client.deleted": "deleted application",
    "client.secret_rotated": "rotated the secret of application",
    "key.published": "published signing key",
    "key.promoted": "promoted signing key",
    "key.promotion_delayed": "waits for important applications with signing key",
    "key.emergency_rotated": "revoked signing key",
    "key.retired": "retired signing key",
    "key.exported": "exported the sealed signing keys",
    "oauth.authorized": "decided what may be used by application",
    "settings.updated": "changed settings",
    "config.change_planned": "planned a change of",
    "config.plan_withdrawn": "took back what was planned for",
    "config.plan_failed": "could not put into effect what was planned for",
}
#: Events that say nothing of whom they are about.
_ALONE: Final = frozenset(
    {"admin.logged_in", "admin.logged_out", "step_up.verified", "step_up.failed", "user.logged_in",
     "user.logged_out", "user.password_changed", "user.password_reset_completed",
     "user.email_verified", "key.exported", "settings.updated",
     "tenant.resolution_conflict"}
)  # fmt: skip
_ACTORS: Final = {"system": "System", "platform": "Platform", "client": "Application"}
_LONG_ID: Final = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One line; *details* are terms and texts for behind its disclosure."""

    id: str
    at: datetime
    mark: str
    event: str
    status: str
    actor: str
    verb: str
    target: str
    target_slug: str
    details: list[tuple[str, str]]

    @property
    def kind(self) -> str:
        """How the line is tinted."""
        return {"failed": "bad", "warning": "warn"}.get(self.status, "")

    @property
    def object(self) -> str:
        return self.event.partition(".")[0]


def short(text: str) -> str:
    """A long id as it stands in a table: its ends."""
    return f"{text[:4]}…{text[-4:]}" if len(text) >= _LONG_ID else text


def entries(rows: Sequence[Row], names: Mapping[UUID, str]) -> list[Entry]:
    """Lines of the record in words; *names* are those of actors who may be named here."""
    return [_entry(row, names) for row in rows]


def actors(rows: Sequence[Row]) -> set[UUID]:
    """Whose names the lines need."""
    found = set()
    for row in rows:
        if row.actor_id and row.actor_type != "client":
            try:
                found.add(UUID(row.actor_id))
            except ValueError:
                continue
    return found


def _entry(row: Row, names: Mapping[UUID, str]) -> Entry:
    alone = row.event in _ALONE
    whole = row.target_type == "domain"  # the end of a name says as much as its beginning
    target = row.target_id or "" if whole else short(row.target_id or "")
    if alone:
        target = ""
    if row.target_type == "user" and target:
        target = f"user {target}"
    return Entry(
        id=str(row.id),
        at=row.at,
        mark=row.mark,
        event=row.event,
        status=row.status,
        actor=_actor(row, names),
        verb=_VERBS.get(row.event, row.event.replace(".", " ").replace("_", " ")),
        target=target or str(row.metadata.get("reason", "")).replace("_", " "),
        target_slug=row.target_id or "" if row.target_type == "tenant" and not alone else "",
        details=_details(row),
    )


def _actor(row: Row, names: Mapping[UUID, str]) -> str:
    try:
        named = names.get(UUID(row.actor_id)) if row.actor_id else None
    except ValueError:
        named = None
    if named:
        return named
    if row.actor_id is None:
        return _ACTORS.get(row.actor_type, "Somebody")
    return f"{_ACTORS.get(row.actor_type, row.actor_type.title())} {short(row.actor_id)}"


def _details(row: Row) -> list[tuple[str, str]]:
    told = [
        ("Result", row.status),
        ("Actor", f"{row.actor_type} {row.actor_id or ''}".strip()),
        ("Target", f"{row.target_type or ''} {row.target_id or ''}".strip()),
        ("Request", row.request_id or ""),
        ("Address", row.ip or ""),
        ("Browser", row.user_agent or ""),
        *((_words(name), _text(value)) for name, value in sorted(row.metadata.items())),
    ]
    return [(term, masked(text)) for term, text in told if text]


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(value: Any) -> str:  # noqa: ANN401  (values of any kind)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, Mapping) and {"field", "before", "after"} <= value.keys():
        before, after = (_text(value[part]) or "nothing" for part in ("before", "after"))
        return f"{value['field']}: {before} → {after}"
    return "" if value is None else str(value)
