"""Figures of the installation."""

from pydantic import BaseModel

from insula.management_api.paging import Count


class PlatformStats(BaseModel):
    """Tenants by status; counting stops at 10,000."""

    active: Count
    suspended: Count
    archived: Count
    deleting: Count


class Pool(BaseModel):
    """The providers that the process which answers has in memory."""

    size: int
    max_size: int
    building: int
