"""Figures of the installation."""

from pydantic import BaseModel, Field

from insula.management_api.blocks import Figure, Series


class PlatformStats(BaseModel):
    """Tenants by status; counting stops at 10,000."""

    active: Figure
    suspended: Figure
    archived: Figure
    deleting: Figure
    sign_ins: Series = Field(description="Sign-ins by day over 30 days; `bad` were refused.")
    tenants_made: Series = Field(description="Tenants made, by week, over 12 weeks.")
    pool: Series = Field(
        description="Requests that found their provider in memory, by day over 30 days; `bad` had"
        " to build it."
    )


class Pool(BaseModel):
    """The providers that the process which answers has in memory."""

    size: int
    max_size: int
    building: int
