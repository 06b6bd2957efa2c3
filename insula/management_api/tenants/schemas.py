"""Tenants as they are told, and what may be asked of them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from insula.management_api.paging import Count
from insula.registry.models import TenantLine
from insula.tenancy.models import Naming
from insula.tenants import founding
from insula.tenants.domains import models as proofs
from insula.tenants.domains.models import Domain, Method, ProvenBy, State
from insula.tenants.registry import Entry

Status = Literal["active", "suspended", "archived", "deleting"]
#: In these orders the registry is indexed.
Sort = Literal["slug", "-created_at", "-users", "-last_sign_in_at"]


class Tenant(BaseModel):
    """One tenant; *domain* is its primary login domain."""

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
    def of(cls, entry: Entry | TenantLine, naming: Naming) -> "Tenant":
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


#: An operator's word in place of a proof; it needs step-up and `insula:cross-tenant:write` too.
OverrideReason = Annotated[
    str | None,
    Field(
        max_length=500,
        description="Counts the domain as proven on your word, and says why. Needs the scope "
        "`insula:cross-tenant:write` too, and step-up.",
    ),
]


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
    first_admin_email: str | None = Field(
        None,
        min_length=3,
        max_length=254,
        examples=["ada@acme.example"],
        description="Makes its first administrator, who chooses a password by a link.",
    )
    domain: str | None = Field(
        None,
        max_length=253,
        examples=["login.acme.example"],
        description="Becomes the issuer's host once it is proven.",
    )
    domain_method: Method = "dns"
    override_reason: OverrideReason = None
    template: str | None = Field(
        None,
        min_length=1,
        max_length=63,
        examples=["enterprise"],
        description="What the tenant begins with, as decisions of its own.",
    )


class TenantChanges(BaseModel):
    """
    What is left out stays; a `domain` of null gives the issuer its host by slug again.

    A `domain` that is not proven becomes the issuer's host once it is.
    """

    model_config = ConfigDict(extra="forbid")

    display_name: str = Field(
        "",
        min_length=1,
        max_length=255,
        validation_alias=AliasChoices("display_name", "name"),
    )
    domain: str | None = Field(None, max_length=253)
    override_reason: OverrideReason = None


class NewStatus(BaseModel):
    """A status that follows the present one, and why; to activate needs no reason."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["active", "suspended", "archived"]
    reason: str = Field(
        "", max_length=500, validate_default=True, description="Stands in both records."
    )

    @field_validator("reason")
    @classmethod
    def _is_said(cls, reason: str, given: ValidationInfo) -> str:
        if not reason.strip() and given.data.get("status") in {"suspended", "archived"}:
            raise PydanticCustomError("missing", "is needed")
        return reason.strip()


class HostProof(BaseModel):
    """What to publish; one of the three, the one that `method` names, is looked for."""

    dns_name: str
    dns_value: str
    meta_tag: str
    file_url: str
    file_content: str

    @classmethod
    def of(cls, domain: Domain) -> "HostProof":
        return cls(
            dns_name=proofs.record_name(domain.host),
            dns_value=proofs.proof_text(domain.token),
            meta_tag=proofs.meta_tag(domain.token),
            file_url=f"https://{domain.host}{proofs.file_path(domain.token)}",
            file_content=proofs.proof_text(domain.token),
        )


class TenantHost(BaseModel):
    """
    A login domain and its proof; the primary one is the issuer's host.

    `pending` and `unverified` ones lead nowhere; `failing` ones still lead to the tenant. *found*
    is what the last check that failed had found.
    """

    host: str
    primary: bool
    state: State
    method: Method
    token: str
    proof: HostProof | None
    make_primary: bool
    proven_by: ProvenBy | None
    proven_at: datetime | None
    override_reason: str | None
    last_checked: datetime | None
    found: str
    created_at: datetime

    @classmethod
    def of(cls, domain: Domain) -> "TenantHost":
        return cls(
            host=domain.host,
            primary=domain.is_primary,
            state=domain.state,
            method=domain.method,
            token=domain.token,
            proof=HostProof.of(domain) if domain.token else None,
            make_primary=domain.primary_wanted,
            proven_by=domain.proven_by,
            proven_at=domain.proven_at,
            override_reason=domain.override_reason,
            last_checked=domain.checked_at,
            found=domain.found,
            created_at=domain.created_at,
        )


class TenantHosts(BaseModel):
    """All of a tenant's, by name; the host by its slug is always there beside them."""

    data: list[TenantHost]


class NewHost(BaseModel):
    """A login domain, and how it will be proven."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(min_length=1, max_length=253, examples=["login.acme.example"])
    method: Method = "dns"
    make_primary: bool = Field(
        default=False, description="Make it the issuer's host as soon as it is proven."
    )
    override_reason: OverrideReason = None


class HostCheck(BaseModel):
    """Look now; or, with a reason, count the domain as proven on your word."""

    model_config = ConfigDict(extra="forbid")

    override_reason: OverrideReason = None


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
