"""What going back to a save of the platform would do."""

from pydantic import BaseModel

from insula.management_api.platform_settings.schemas import Affected
from insula.management_api.sections.told import Value


class PlatformChange(BaseModel):
    """A value or a bound that would change: *part* says which of the two."""

    part: str
    field: str
    before: Value
    after: Value


class RestorePreview(BaseModel):
    """What would change, and whom the bounds among it would clamp, by section."""

    changes: list[PlatformChange]
    clamped: dict[str, Affected]
