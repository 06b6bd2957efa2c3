"""What is shown of secrets: a mask, wherever settings are told (features.md CR-14)."""

from collections.abc import Mapping
from typing import Any, Final

from insula.config_overrides.models import Stored, Values
from insula.kernel.settings import MASK

#: What a sealed value begins with, as it is stored; the number is of its form.
SEALED: Final = "sealed:1:"


def is_sealed(value: object) -> bool:
    """
    Whether a value is a secret as it is stored.

    Told by the value itself, so that one of a section that this release does not know is masked
    too: nothing of a secret is ever stored in another form.
    """
    return isinstance(value, str) and value.startswith(SEALED)


def mask(value: Any) -> Any:  # noqa: ANN401  (a value of any setting)
    """A value as it may be shown."""
    return MASK if is_sealed(value) else value


def masked(values: Values) -> dict[str, Any]:
    """The values of a section as they may be shown."""
    return {name: mask(value) for name, value in values.items()}


def all_masked(stored: Stored | Mapping[str, Stored]) -> dict[str, Any]:
    """Everything that is stored as it may be shown, however deep it stands."""
    return {
        key: all_masked(value) if isinstance(value, Mapping) else mask(value)
        for key, value in stored.items()
    }
