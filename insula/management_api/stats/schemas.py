"""Figures of a tenant."""

from pydantic import BaseModel, Field

from insula.management_api.blocks import Figure, Series


class Stats(BaseModel):
    """How many there are; counting stops at 10,000."""

    users: Figure
    clients: Figure
    active_sessions: Figure
    active_grants: Figure
    sign_ins_24h: Figure
    failed_sign_ins_24h: Figure
    sign_ins: Series = Field(description="Sign-ins by day over 30 days; `bad` were refused.")
