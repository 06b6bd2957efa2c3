"""What can be refused about settings."""

from collections.abc import Sequence

from insula.config_overrides.marks import Version, Violation, in_words
from insula.kernel.errors import Conflict, Invalid, NotFound


class InvalidSetting(Invalid):
    """*field* says which, as `section.field`."""


class NotOverridable(Invalid):
    """No such field, or one that is not a tenant's to decide."""

    code = "field_not_overridable"


class SectionUnknown(NotFound):
    code = "section_unknown"


class BoundViolated(Invalid):
    """Values beyond floors or ceilings of the platform; *violations* has them all."""

    code = "bound_violated"

    def __init__(self, violations: Sequence[Violation]) -> None:
        first = violations[0]
        value = _shown(first.too_many or first.value) + (" (unlimited)" * first.is_unlimited)
        super().__init__(
            f"The platform allows no {value} here: its bound is {_shown(first.bound)}.",
            field=first.field,
        )
        self.violations = tuple(violations)


class VersionConflict(Conflict):
    """Somebody saved meanwhile; *last* is what they did, None when that is forgotten."""

    code = "version_conflict"

    def __init__(self, last: Version | None) -> None:
        said = "Somebody has saved this since you read it"
        if last is not None:
            who = in_words(last.by)
            did = "planned to change" if last.act == "config.change_planned" else "changed"
            said += f": {who} at {last.at:%Y-%m-%dT%H:%M:%SZ} {did} {', '.join(last.changed)}"
        super().__init__(f"{said}. Read it again.")
        self.last = last


class PlanUnknown(NotFound):
    """Nothing is planned for the section, or not any more."""


class OwnedByGit(Conflict):
    """Fields that documents own; *fields* has them as `section.field`."""

    code = "owned_by_git"

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(
            f"Owned by Git: {', '.join(fields)}. Change the file and apply it, or release what you"
            " must change by hand, with a reason."
        )
        self.fields = tuple(fields)


class SecretsKeyMissing(Conflict):
    """Without the master key nothing can be sealed or opened."""

    code = "secrets_key_missing"


class VersionUnknown(NotFound):
    """No such version, or one that is not kept any more."""


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"“{', '.join(map(str, value))}”"
    return "“" + (str(value).lower() if isinstance(value, bool) else str(value)) + "”"
