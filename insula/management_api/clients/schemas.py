"""Applications as they are told, and what may be asked of them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from insula.clients.administration.models import Application, Secret
from insula.clients.models import DEVICE_CODE, Metadata, Mode, Status
from insula.figures.models import OfClient
from insula.management_api.paging import Count

Origin = Literal["administrator", "dynamic"]
Sort = Literal["client_id", "-client_id"]
Kind = Literal["web", "spa", "native", "m2m", "device"]

#: Names from 1 to 120 characters.
_NAME: Final[dict[str, Any]] = {"min_length": 1, "max_length": 120, "examples": ["Ledger"]}
#: What a kind of application settles, as far as nothing else is said (features.md H01).
PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "web": {},
    "spa": {"token_endpoint_auth_method": "none"},
    "native": {"application_type": "native", "token_endpoint_auth_method": "none"},
    "m2m": {"grant_types": ["client_credentials"], "scopes": []},
    "device": {"token_endpoint_auth_method": "none", "grant_types": [DEVICE_CODE, "refresh_token"]},
}


class Client(BaseModel):
    """An application, in short."""

    id: UUID
    client_id: str
    name: str
    status: Status
    origin: Origin = Field(description="`dynamic`: it registered itself.")
    verified: bool
    grant_types: list[str]
    scopes: list[str]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, application: Application) -> "Client":
        return cls(**_facts(application))


def _facts(application: Application) -> dict[str, Any]:
    settings = application.metadata
    return {
        "id": application.id,
        "client_id": application.client_id,
        "name": application.name,
        "status": application.status,
        "origin": application.origin,
        "verified": application.is_verified,
        "grant_types": list(settings.grant_types),
        "scopes": list(settings.scopes),
        "created_at": application.created_at,
        "updated_at": application.updated_at,
    }


class ClientDetail(Client):
    """An application with all its settings, named as in OpenID Connect registration."""

    settings: Metadata

    @classmethod
    def of(cls, application: Application) -> "ClientDetail":
        return cls(**_facts(application), settings=application.metadata)


class NewClientDetail(ClientDetail):
    """An application that was just made; its secret is shown here and never again."""

    client_secret: str | None


class ChangedClientDetail(ClientDetail):
    """An application after a change; a secret that it needs from now on is shown here alone."""

    client_secret: str | None = None


class Settings(Metadata):
    """
    Settings from outside: what is given and no more.

    Who may do dangerous acts over this API is not settled over this API.
    """

    allow_dangerous_api: SkipJsonSchema[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:  # noqa: ANN401  (whatever came from outside)
        return values  # completed with what is stored, where it is saved

    @model_validator(mode="after")
    def _without_marks(self) -> "Settings":
        if "allow_dangerous_api" in self.model_fields_set:
            raise PydanticCustomError("not_over_the_api", "is settled by an operator")
        return self

    def given(self) -> dict[str, Any]:
        """What the caller has said of the settings."""
        return self.model_dump(include=self.model_fields_set & Metadata.model_fields.keys())


class NewClient(Settings):
    """`type` settles what is not said otherwise."""

    name: str = Field(**_NAME)
    type: Kind = "web"

    def values(self) -> dict[str, Any]:
        return {**PRESETS[self.type], **self.given()}


class WholeClient(Settings):
    """All of a client: what is left out has its default again."""

    name: str = Field(**_NAME)


class ClientChanges(Settings):
    """What is left out stays."""

    name: str = Field("", **_NAME)


class ClientPreview(BaseModel):
    """What a change would do beside what it says; nothing was saved."""

    stops: list[str] = Field(
        description="What the application does today that it could not do any more.",
        examples=[["A request for a code without PKCE is refused."]],
    )


class Issued(BaseModel):
    """How often tokens left for it on a day, by grant type; `implicit` is the front channel."""

    day: date
    grant_type: str
    n: int


class Refused(BaseModel):
    """How often it was refused so in these days."""

    error: str
    n: int


class ClientStats(BaseModel):
    """What was counted for an application in the last 90 days."""

    issued: list[Issued]
    refused: list[Refused]
    active_grants: Count = Field(description="What people allow it now.")
    unique_users: Count = Field(description="People whose tokens of it are still kept.")
    last_activity: datetime | None

    @classmethod
    def of(
        cls, done: OfClient, allowed: tuple[int, bool], people: tuple[int, bool]
    ) -> "ClientStats":
        return cls(
            issued=[Issued(day=day, grant_type=grant, n=n) for day, grant, n in done.issued],
            refused=[Refused(error=code, n=n) for code, n in done.refused.items()],
            active_grants=Count(value=allowed[0], exact=allowed[1]),
            unique_users=Count(value=people[0], exact=people[1]),
            last_activity=done.last_at,
        )


class Deactivation(BaseModel):
    """`stop` refuses every use and ends what was given; `new_flows` lets nothing new begin."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode = "stop"


class NewSecret(BaseModel):
    """How long the secret before lives on, in seconds; 0 ends it at once."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: int = Field(604_800, ge=0, le=2_592_000)


class ClientSecret(BaseModel):
    """A secret that is alive, without the secret."""

    id: UUID
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, secret: Secret) -> "ClientSecret":
        return cls(id=secret.id, created_at=secret.created_at, expires_at=secret.expires_at)


class ClientSecrets(BaseModel):
    """Two at most."""

    data: list[ClientSecret]


class ShownSecret(BaseModel):
    """A new secret, shown here and never again."""

    client_secret: str


class Ended(BaseModel):
    """How much ended; where it is not complete, ask again."""

    revoked_count: int
    complete: bool
