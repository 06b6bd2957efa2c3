"""A link as it is handed out, once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

#: Where every link leads, on its tenant's own host.
PATH: Final = "/sign-in/activate"
LIFE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Link:
    """A new link of somebody; what it is is known here only."""

    user_id: UUID
    expires_at: datetime
    token: str = field(repr=False)

    def url(self, issuer: str) -> str:
        return f"{issuer}{PATH}?{urlencode({'token': self.token})}"
