"""Tenants as they are told, and what may be asked of them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from insula.management_api.paging import Count
from insula.tenancy.models import Naming
from insula.tenants import founding
from insula.tenants.registry import Entry, Host

Status = Literal["active", "suspended", "archived", "deleting"]
Sort = Literal["slug", "-slug", "display_name", "-display_name", "created_at", "-created_at"]


class Tenant(BaseModel):
    """One tenant; *domain* is its primary custom domain."""

    id: UUID
    slug: str
    display_name: str
    status: Status
    protected: bool
    domain: str | None
    issuer: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, entry: Entry, naming: Naming) -> "Tenant":
        return cls(
            id=entry.id,
            slug=entry.slug,
            display_name=entry.display_name,
            status=entry.status,
            protected=entry.protected,
            domain=entry.domain,
            issuer=entry.issuer(naming),
            created_at=entry.created_at,
            updated_at=entry.updated_at,
        )


class FirstAdmin(BaseModel):
    """Who administers a new tenant; the link is shown here and never again."""

    id: UUID
    email: str
    activation_url: str
    expires_at: datetime


class FoundedTenant(Tenant):
    """A tenant that was just made."""

    first_admin: FirstAdmin | None

    @classmethod
    def made(
        cls, entry: Entry, naming: Naming, first: founding.FirstAdmin | None
    ) -> "FoundedTenant":
        told = first and FirstAdmin(
            id=first.link.user_id,
            email=first.email,
            activation_url=first.link.url(entry.issuer(naming)),
            expires_at=first.link.expires_at,
        )
        return cls(**Tenant.of(entry, naming).model_dump(), first_admin=told)


class TenantDetail(Tenant):
    """One tenant, with what is in it."""

    users: Count
    clients: Count


class NewTenant(BaseModel):
    """`name` is taken for `display_name` too."""

    model_config = ConfigDict(extra="forbid")

    slug: str = Field(min_length=1, max_length=63, examples=["acme"])
    display_name: str = Field(
        min_length=1,
        max_length=255,
        validation_alias=AliasChoices("display_name", "name"),
        examples=["Acme Corp"],
    )
    domain: str | None = Field(None, max_length=253, examples=["login.acme.example"])
    first_admin_email: str | None = Field(
        None,
        min_length=3,
        max_length=254,
        examples=["ada@acme.example"],
        description="Makes its first administrator, who chooses a password by a link.",
    )


class TenantChanges(BaseModel):
    """What is left out stays; a `domain` of null gives the issuer its host by slug again."""

    model_config = ConfigDict(extra="forbid")

    display_name: str = Field(
        "",
        min_length=1,
        max_length=255,
        validation_alias=AliasChoices("display_name", "name"),
    )
    domain: str | None = Field(None, max_length=253)


class NewStatus(BaseModel):
    """A status that follows the present one, and why."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["active", "suspended", "archived"]
    reason: str = Field("", max_length=500)


class TenantHost(BaseModel):
    """A custom domain; the primary one is the issuer's host."""

    host: str
    primary: bool
    created_at: datetime

    @classmethod
    def of(cls, host: Host) -> "TenantHost":
        return cls(host=host.host, primary=host.is_primary, created_at=host.created_at)


class TenantHosts(BaseModel):
    """All of a tenant's, by name; the host by its slug is always there beside them."""

    data: list[TenantHost]


class NewHost(BaseModel):
    """A custom domain on the platform's word."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(min_length=1, max_length=253, examples=["login.acme.example"])
    primary: bool = False


class TenantUser(BaseModel):
    """A person of a tenant, as the platform sees them."""

    id: UUID
    username: str
    email: str | None
    email_verified: bool
    display_name: str | None
    status: Literal["active", "disabled", "locked"]
    created_at: datetime
    last_login_at: datetime | None
