"""People as they are told, and what may be asked of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, field_validator
from pydantic_core import PydanticCustomError

from insula.accounts.activation.models import Link
from insula.accounts.administration.models import Person
from insula.accounts.models import FOR_EVER

TenantRole = Literal["user", "auditor", "admin", "superadmin", "platform_admin", "platform_viewer"]
Sort = Literal["username", "-username"]
Email = Field(min_length=3, max_length=254, examples=["ada@acme.example"])


#: What stands beside the attributes and may not be set through them.
_FIELDS_OF_THEIR_OWN = frozenset(
    {
        "username", "email", "email_verified", "enabled", "role", "credential", "name",
        "given_name", "family_name", "nickname", "phone_number", "phone_number_verified",
        "locale", "zoneinfo",
    }
)  # fmt: skip


class User(BaseModel):
    """Somebody of the tenant."""

    id: UUID
    username: str
    email: str | None
    email_verified: bool
    name: str | None
    given_name: str | None
    family_name: str | None
    locale: str | None
    zoneinfo: str | None
    phone_number: str | None
    enabled: bool
    locked: bool
    locked_until: datetime | None = Field(description="When the lock ends, if it does by itself.")
    must_change_password: bool
    has_password: bool
    roles: list[str]
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None

    @classmethod
    def of(cls, person: Person) -> "User":
        return cls(**_facts(person))


class UserDetail(User):
    """Somebody, with the rarer claims and what the tenant keeps about its people."""

    attributes: dict[str, JsonValue]

    @classmethod
    def of(cls, person: Person) -> "UserDetail":
        return cls(**_facts(person), attributes=dict(person.attributes))


class ActivationLink(BaseModel):
    """A link by which somebody chooses their password, once; it is shown here and never again."""

    activation_url: str
    expires_at: datetime

    @classmethod
    def of(cls, link: Link, issuer: str) -> "ActivationLink":
        return cls(activation_url=link.url(issuer), expires_at=link.expires_at)


class NewUserDetail(UserDetail):
    """Somebody who was just made, with the link that they are to have."""

    activation: ActivationLink | None

    @classmethod
    def made(cls, person: Person, activation: ActivationLink | None) -> "NewUserDetail":
        facts = UserDetail.of(person).model_dump()
        return cls(**facts, activation=activation)


def _facts(person: Person) -> Mapping[str, Any]:
    until = person.locked_until
    return {
        **{name: getattr(person, name) for name in User.model_fields if hasattr(person, name)},
        "roles": list(person.roles),
        "enabled": person.is_enabled,
        "locked": person.status == "locked" or until is not None,
        "locked_until": None if until is None or until >= FOR_EVER else until,
    }


class _Facts(BaseModel):
    """What may be known of anybody; null takes a value away."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=200)
    given_name: str | None = Field(None, max_length=200)
    family_name: str | None = Field(None, max_length=200)
    nickname: str | None = Field(None, max_length=200)
    phone_number: str | None = Field(None, max_length=16, examples=["+442071234567"])
    locale: str | None = Field(None, max_length=60, examples=["en-GB"])
    zoneinfo: str | None = Field(None, max_length=60, examples=["Europe/London"])
    attributes: dict[str, JsonValue] = Field(
        default_factory=dict, description="The rarer claims, and what the tenant keeps."
    )

    @field_validator("attributes")
    @classmethod
    def _own(cls, attributes: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if _FIELDS_OF_THEIR_OWN & attributes.keys():
            raise PydanticCustomError("field_of_its_own", "is a field of its own")
        return attributes

    def changes(self) -> dict[str, Any]:
        """What was given, attributes beside the rest."""
        given = self.model_dump(exclude_unset=True)
        return {**given.pop("attributes", {}), **given}


class NewUser(_Facts):
    """A person without a password; a user name is made of the address unless it is given."""

    email: str = Email
    username: str = Field("", min_length=1, max_length=120)
    role: TenantRole = "user"
    enabled: bool = True
    credential: Literal["activation_link", "none"] = Field(
        "activation_link", description="Somebody who is made disabled gets no link."
    )


class UserChanges(_Facts):
    """What is left out stays. A new address is not verified."""

    email: str = Field("", min_length=3, max_length=254)
    username: str = Field("", min_length=1, max_length=120)
    enabled: bool = True


class Lock(BaseModel):
    """Without `until` for good."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=500)
    until: AwareDatetime | None = None


class PasswordReset(BaseModel):
    """
    How a person comes to a new password.

    `force_next`: they must choose one at the next sign-in. `send_link`: a link by which they
    choose one, which is answered here; the one before it is over.
    """

    model_config = ConfigDict(extra="forbid")

    mode: Literal["force_next", "send_link"]


class BulkStatus(BaseModel):
    """The same for many people."""

    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] = Field(min_length=1, max_length=1000)
    action: Literal["enable", "disable", "lock", "unlock"]
    reason: str = Field("", max_length=500)


class Result(BaseModel):
    """What became of one of many; without a code it was done."""

    id: UUID
    done: bool
    code: str | None
    detail: str | None


class Results(BaseModel):
    data: list[Result]
