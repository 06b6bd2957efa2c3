"""What a development installation must remember: keys and passwords, readable by its owner only."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

_PRIVATE = 0o600


def _key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(slots=True)
class Remembered:
    """*clients* maps tenant and client_id to the secret that was shown once."""

    secrets_key: str = field(default_factory=_key)
    hmac_key: str = field(default_factory=_key)
    owner_password: str = field(default_factory=_password)
    app_password: str = field(default_factory=_password)
    platform_password: str = field(default_factory=_password)
    people: dict[str, str] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)


def load(path: Path) -> Remembered:
    """What the last run remembered, or fresh secrets."""
    try:
        return Remembered(**json.loads(path.read_text()))
    except FileNotFoundError:
        return Remembered()


def save(path: Path, value: object) -> None:
    """Write JSON that only its owner can read, in one step."""
    plain = asdict(value) if isinstance(value, Remembered) else value
    write_private(path, json.dumps(plain, indent=1))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
