"""Figures of a tenant."""

from pydantic import BaseModel

from insula.management_api.paging import Count


class Stats(BaseModel):
    """How many there are; counting stops at 10,000."""

    users: Count
    clients: Count
    active_sessions: Count
    active_grants: Count
    sign_ins_24h: Count
    failed_sign_ins_24h: Count
