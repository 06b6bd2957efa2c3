"""Which scopes of OpenID Connect a tenant offers, and whether its management API answers."""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field

from insula.kernel.settings import DecidedBy, Kind, Section
from insula.oidc.features.scopes import OPENID

#: The scopes of OpenID Connect; a test compares with those that the engine knows.
Standard = Literal["openid", "profile", "email", "address", "phone", "offline_access"]
_ALL: tuple[Standard, ...] = get_args(Standard)


def _in_order(offered: tuple[Standard, ...]) -> tuple[Standard, ...]:
    """Sort as the engine lists them. Raises ValueError for what cannot be offered so."""
    if OPENID not in offered:
        raise ValueError("must hold openid")
    if len(set(offered)) < len(offered):
        raise ValueError("names a scope twice")
    return tuple(scope for scope in _ALL if scope in offered)


Offered = Annotated[tuple[Standard, ...], Kind.SUBSET, AfterValidator(_in_order)]


class OfferedScopes(Section):
    """Which scopes of OpenID Connect applications may be given."""

    key: ClassVar[str] = "oidc.scopes"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    supported_scopes: Offered = Field(
        _ALL,
        description="What is not among them counts as unknown, and nothing of it is told. `openid`"
        " always is; a tenant's own scopes are not named here.",
    )


class DeveloperApi(Section):
    """Whether programs may run a tenant over the management API."""

    key: ClassVar[str] = "features.developer_api"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    enabled: Annotated[bool, Kind.CEIL_BOOL] = Field(
        default=True,
        description="Off: every call of /api/v1 is refused, whatever the token says, also one that "
        "would switch it on again; the platform does that.",
    )
