"""Lines of the record as people read them: who did what, with what mark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from insula.audit.models import Line, masked

#: By event: what was done, as it goes between who and whom.
_VERBS: Final[Mapping[str, str]] = {
    "tenant.created": "created tenant",
    "tenant.updated": "changed tenant",
    "tenant.suspended": "suspended tenant",
    "tenant.activated": "activated tenant",
    "tenant.archived": "archived tenant",
    "tenant.deletion_scheduled": "scheduled the deletion of tenant",
    "tenant.deletion_undone": "took back the deletion of tenant",
    "tenant.purged": "purged tenant",
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
    "session.revoked": "ended session",
    "session.bulk_revoked": "ended all sessions of",
    "session.tenant_conflict": "came with the session of another tenant",
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
    "user.email_changed": "changed the address of",
    "user.email_verified": "confirmed their address",
    "user.role_granted": "gave a role to",
    "user.role_revoked": "took a role from",
    "client.created": "registered application",
    "client.updated": "changed application",
    "client.deleted": "deleted application",
    "client.registered": "registered by itself application",
    "client.activated": "activated application",
    "client.deactivated": "paused application",
    "client.verified": "verified application",
    "client.unverified": "no longer vouches for application",
    "client.adopted": "adopted application",
    "client.access_revoked": "took all access from application",
    "client.secret_rotated": "rotated the secret of application",
    "client.secret_retired": "ended an old secret of application",
    "registration_token.created": "made initial access token",
    "registration_token.revoked": "revoked initial access token",
    "resource_server.created": "registered API",
    "resource_server.updated": "changed API",
    "resource_server.deleted": "deleted API",
    "scope.created": "made scope",
    "scope.updated": "changed scope",
    "scope.deleted": "deleted scope",
    "claim.mapped": "mapped claim",
    "claim.unmapped": "no longer maps claim",
    "key.published": "published signing key",
    "key.promoted": "promoted signing key",
    "key.promotion_delayed": "waits for important applications with signing key",
    "key.emergency_rotated": "revoked signing key",
    "key.retired": "retired signing key",
    "key.exported": "exported the sealed signing keys",
    "oauth.authorized": "decided what may be used by application",
    "oauth.token_issued": "got a token",
    "oauth.token_revoked": "revoked a token",
    "oauth.refresh_reused": "used a refresh token twice",
    "oauth.code_replayed": "used an authorization code twice",
    "oauth.consent_revoked": "took back what an application was allowed:",
    "api.request_denied": "was refused at the API:",
    "maintenance.run": "worked on job",
    "isolation.probe_failed": "found tenants not kept apart in run",
    "settings.updated": "changed settings",
    "config.updated": "changed",
    "config.imported": "imported",
    "config.rolled_back": "restored an earlier version of",
    "config.section_reset": "reset",
    "config.bound_changed": "changed the bounds of",
    "config.exported": "took away the settings",
    "data.exported": "took away",
    "config.change_planned": "planned a change of",
    "config.plan_withdrawn": "took back what was planned for",
    "config.plan_failed": "could not put into effect what was planned for",
}
#: Events that say nothing of whom they are about.
_ALONE: Final = frozenset(
    {"admin.logged_in", "admin.logged_out", "step_up.verified", "step_up.failed", "user.logged_in",
     "user.logged_out", "user.password_changed", "user.password_reset_completed",
     "user.email_verified", "key.exported", "settings.updated",
     "tenant.resolution_conflict", "session.tenant_conflict", "data.exported",
     "oauth.token_issued", "oauth.token_revoked", "oauth.refresh_reused", "oauth.code_replayed"}
)  # fmt: skip
#: What happened instead where it failed.
_FAILED: Final[Mapping[str, str]] = {"oauth.token_issued": "was refused a token"}
#: What a target is, where its event does not say it.
_NOUNS: Final[Mapping[str, str]] = {
    "user": "user", "config": "settings", "template": "template", "asset": "image",
}  # fmt: skip
_ACTORS: Final = {"system": "System", "platform": "Platform", "client": "Application"}
_LONG_ID: Final = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One line; *details* are terms and texts for behind its disclosure."""

    id: str
    at: datetime
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


def entries(lines: Sequence[Line], names: Mapping[UUID, str]) -> list[Entry]:
    """Lines of the record in words; *names* are those of actors who may be named here."""
    return [_entry(line, names) for line in lines]


def actors(lines: Sequence[Line]) -> set[UUID]:
    """Whose names the lines need."""
    found = set()
    for line in lines:
        if line.actor_id and line.actor_type != "client":
            try:
                found.add(UUID(line.actor_id))
            except ValueError:
                continue
    return found


def _entry(line: Line, names: Mapping[UUID, str]) -> Entry:
    alone = line.event in _ALONE
    whole = line.target_type == "domain"  # the end of a name says as much as its beginning
    target = line.target_id or "" if whole else short(line.target_id or "")
    if alone:
        target = ""
    noun = _NOUNS.get(line.target_type or "", "")
    if noun and target:
        target = f"{noun} {target}"
    return Entry(
        id=str(line.id),
        at=line.at,
        event=line.event,
        status=line.status,
        actor=_actor(line, names),
        verb=_verb(line),
        target=target or _said(line.metadata),
        target_slug=line.target_id or "" if line.target_type == "tenant" and not alone else "",
        details=_details(line),
    )


def _verb(line: Line) -> str:
    failed = _FAILED.get(line.event) if line.status == "failed" else None
    return failed or _VERBS.get(line.event) or line.event.replace(".", " ").replace("_", " ")


def _said(metadata: Mapping[str, Any]) -> str:
    """What a line without a target is about, in its own words."""
    return str(metadata.get("what") or metadata.get("reason") or metadata.get("why") or "").replace(
        "_", " "
    )


def _actor(line: Line, names: Mapping[UUID, str]) -> str:
    if line.actor_id is None:
        return _ACTORS.get(line.actor_type, "Somebody")
    try:
        named = names.get(UUID(line.actor_id))
    except ValueError:  # whoever acts for the platform and is no person is an application
        return f"Application {short(line.actor_id)}"
    if named:
        return named
    return f"{_ACTORS.get(line.actor_type, line.actor_type.title())} {short(line.actor_id)}"


def _details(line: Line) -> list[tuple[str, str]]:
    told = [
        ("Result", line.status),
        ("Actor", f"{line.actor_type} {line.actor_id or ''}".strip()),
        ("Target", f"{line.target_type or ''} {line.target_id or ''}".strip()),
        ("Request", line.request_id or ""),
        ("Address", line.ip or ""),
        ("Browser", line.user_agent or ""),
        *((_words(name), _text(value)) for name, value in sorted(line.metadata.items())),
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
