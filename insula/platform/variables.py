"""The INSULA_* variables of this release: their kinds, bounds, defaults and meanings."""

from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from insula.audit.settings import LONGEST_DAYS
from insula.outbound.settings import OutboundRules
from insula.platform.variable_kinds import (
    LOOPBACK_CIDRS,
    SECRET,
    SECRET_URL,
    AuthorityFile,
    Cidrs,
    DatabaseUrl,
    Domain,
    HeaderName,
    HeaderSecret,
    HostPorts,
    Key,
    Keys,
    LevelText,
    NameServers,
    Priority,
    RedisUrl,
    Secret,
    name_server,
)
from insula.tenancy.hosts import Networks
from insula.tenancy.models import Environment, Naming
from insula.tenancy.resolution import STRATEGIES, Rules

PREFIX: Final = "INSULA_"

#: Where a value came from.
Source = Literal["default", "environment", ".env", "file"]

_T = TypeVar("_T")


def variable(field: str) -> str:
    """Name the variable that sets *field*."""
    return PREFIX + field.upper()


def secrecy(field: str) -> Secret | None:
    """How secret *field* is; None for one that may be shown."""
    metadata = Settings.model_fields[field].metadata
    return next((mark for mark in metadata if isinstance(mark, Secret)), None)


def example(field: str) -> str:
    """Write a line that sets *field* well."""
    info = Settings.model_fields[field]
    examples = info.examples or [info.default]
    text = ",".join(examples[0]) if isinstance(examples[0], tuple) else str(examples[0])
    return f"{variable(field)}={text.lower() if isinstance(examples[0], bool) else text}"


def _given(value: _T | None) -> _T:
    """Insist on a value, which a command that uses it has asked `load` for."""
    if value is None:
        raise LookupError("a variable that this command did not ask for")
    return value


def _trusted_by_default(data: dict[str, Any]) -> tuple[str, ...]:
    return LOOPBACK_CIDRS if data.get("env") == "development" else ()


class Settings(BaseSettings):
    """
    What an operator decides outside the database. `environment.load` makes and judges it.

    Fields that some command does not need are None when they are not set.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    env: Environment = Field(
        "production",
        description="What this installation is for. Development speaks plain http, trusts "
        "loopback and forgives what the other two refuse.",
    )
    base_domain: Domain | None = Field(
        None,
        description="The domain that all tenants' hosts stand under.",
        examples=["auth.example.com"],
    )
    public_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="The port in issuers where it is not the scheme's own. Development only.",
        examples=[8000],
    )
    database_url: Annotated[DatabaseUrl | None, SECRET_URL] = Field(
        None,
        description="PostgreSQL as the role `insula_app`, which serves tenants.",
        examples=["postgresql://insula_app:<password>@db.example.com/insula"],
    )
    database_platform_url: Annotated[DatabaseUrl | None, SECRET_URL] = Field(
        None,
        description="PostgreSQL as the role `insula_platform`, which may cross tenants.",
        examples=["postgresql://insula_platform:<password>@db.example.com/insula"],
    )
    database_owner_url: Annotated[DatabaseUrl | None, SECRET_URL] = Field(
        None,
        description="PostgreSQL as the owner, for `insula migrate` alone; keep it away from "
        "serving processes.",
        examples=["postgresql://insula_owner:<password>@db.example.com/insula"],
    )
    database_pool_size: int = Field(
        10, ge=1, le=1000, description="Connections in each of a process's two pools."
    )
    redis_url: Annotated[RedisUrl | None, SECRET_URL] = Field(
        None,
        description="Valkey or Redis, an accelerator: without it changes are noticed by the poll.",
        examples=["rediss://:<password>@events.example.com:6379/0"],
    )
    multi_tenancy_enabled: bool = Field(
        default=False,
        description="Many tenants, each on its own host. Off: one tenant, `default`.",
    )
    multi_tenancy_extraction_priority: Priority = Field(
        STRATEGIES,
        description="How a request names its tenant, tried in this order.",
        examples=["header,subdomain"],
    )
    multi_tenancy_tenant_header: HeaderName = Field(
        "x-tenant-id", description="The header of the strategy `header`."
    )
    multi_tenancy_header_trusted_cidrs: Cidrs = Field(
        default_factory=_trusted_by_default,
        description="Networks whose tenant header counts; from any other peer it is ignored. "
        "Default: loopback in development, empty otherwise.",
        examples=["10.0.0.0/24"],
    )
    multi_tenancy_provider_pool_max_size: int = Field(
        1000, ge=1, le=1_000_000, description="Tenants' providers that a process keeps in memory."
    )
    multi_tenancy_provider_pool_idle_ttl_ms: int = Field(
        1_800_000, ge=1000, description="A provider unused for this long leaves memory."
    )
    multi_tenancy_provider_pool_cleanup_interval_ms: int = Field(
        60_000, ge=100, description="How often idle providers are looked for."
    )
    bootstrap_admin_email: str | None = Field(
        None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="Address of the first administrator, made at a start that finds none. "
        "Export it in the shell, and remove it afterwards.",
        examples=["admin@example.com"],
    )
    bootstrap_admin_password: Annotated[SecretStr | None, SECRET] = Field(
        None,
        description="Password of the first administrator's first sign-in, which replaces it.",
        examples=["<at least 15 characters>"],
    )
    secrets_key: Annotated[Key | None, SECRET] = Field(
        None,
        description="256 bits in base64 or hex that wrap every tenant's data key. Whoever loses "
        "it loses every signing key.",
        examples=["$(openssl rand -base64 32)"],
    )
    secrets_key_previous: Annotated[Keys, SECRET] = Field(
        (),
        description="Former values of INSULA_SECRETS_KEY, separated by commas, that still decrypt.",
        examples=["<former key>,<the one before>"],
    )
    hmac_key: Annotated[Key | None, SECRET] = Field(
        None,
        description="256 bits in base64 or hex for keyed hashes: the tokens that guard forms.",
        examples=["$(openssl rand -base64 32)"],
    )
    trusted_proxies: Cidrs = Field(
        (),
        description="Networks of your own proxies: X-Forwarded-For is read from them alone.",
        examples=["10.0.0.0/24"],
    )
    proxy_secret: Annotated[HeaderSecret | None, SECRET] = Field(
        None,
        description="What your own edge sends as `x-insula-proxy-secret`. Where it is set and "
        "missing from a request, forwarded headers and the tenant header are ignored.",
        examples=["$(openssl rand -hex 32)"],
    )
    metrics_cidrs: Cidrs = Field(
        LOOPBACK_CIDRS,
        description="Networks that may read /metrics.",
        examples=["127.0.0.0/8,10.0.0.0/24"],
    )
    outbound_allow: HostPorts = Field(
        (),
        description="Exact `host:port` pairs that requests to other hosts may reach although they "
        "are not on the public Internet or speak plain http. For tests; not in production.",
        examples=["suite.internal:8443,127.0.0.1:9000"],
    )
    outbound_ca_file: AuthorityFile | None = Field(
        None,
        description="A file of certificates in PEM whose hosts are trusted beside the system's.",
        examples=["/etc/insula/authorities.pem"],
    )
    dns_resolvers: NameServers = Field(
        (),
        description="Name servers, `address` or `address:port`, that are asked for the TXT records "
        "that prove login domains. Default: those of the machine.",
        examples=["9.9.9.9,[2620:fe::fe]:53"],
    )
    cookie_secure: bool = Field(
        default=True, description="Cookies travel over TLS alone. May be off in development."
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], LevelText] = Field(
        "INFO", description="The least serious lines that are logged."
    )
    admin_audit_retention_days: int = Field(
        LONGEST_DAYS,
        ge=1,
        le=3650,
        description="Days that the record of what was done is kept at most. It leaves by whole "
        "months; a tenant may keep less (`logs`, `audit_retention_days`).",
    )
    poll_seconds: float = Field(
        3, ge=1, le=5, description="How often a process asks which tenants have changed."
    )
    workers: int = Field(1, ge=1, le=256, description="Processes of `insula serve`.")
    worker_in_process: bool = Field(
        default=False,
        description="Whether processes of `insula serve` run queued jobs too, so that a small "
        "installation needs no `insula worker` beside them.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on.", examples=["0.0.0.0"])  # noqa: S104  (an example)
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
    ops_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="A port of its own on which `insula serve` answers `/health`, `/ready` and "
        "`/metrics`, and nothing else, whatever the host. One process alone can have it.",
        examples=[8001],
    )
    worker_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="A port on which `insula worker` answers `/live`, `/health`, `/ready` and "
        "`/metrics`, and nothing else, whatever the host.",
        examples=[8002],
    )

    _sources: dict[str, Source] = PrivateAttr(default_factory=dict)

    def source(self, field: str) -> Source:
        return self._sources.get(field, "default")

    def came_from(self, sources: dict[str, Source]) -> "Settings":
        """Note where the values came from."""
        self._sources.update(sources)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (pydantic's signature)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the library's signature)
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the library's signature)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the library's signature)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: it reads the sources, so that it knows each value's."""
        return (init_settings,)

    def naming(self) -> Naming:
        """How hosts and issuers are formed."""
        return Naming(
            base=_given(self.base_domain),
            scheme="http" if self.env == "development" else "https",
            port=self.public_port,
            multi_tenant=self.multi_tenancy_enabled,
        )

    def resolution_rules(self) -> Rules:
        """How a request's tenant is found."""
        return Rules(
            naming=self.naming(),
            environment=self.env,
            priority=self.multi_tenancy_extraction_priority,
            header=self.multi_tenancy_tenant_header.encode(),
            trusted=Networks(self.multi_tenancy_header_trusted_cidrs),
        )

    def outbound_rules(self) -> OutboundRules:
        """What may be asked of other hosts."""
        return OutboundRules(allow=frozenset(self.outbound_allow), ca_file=self.outbound_ca_file)

    def dns_servers(self) -> list[tuple[str, int]]:
        """The name servers of `dns_resolvers`, with their ports."""
        return [name_server(text) for text in self.dns_resolvers]

    def database_url_text(self) -> str:
        return _given(self.database_url).get_secret_value()

    def database_platform_url_text(self) -> str:
        return _given(self.database_platform_url).get_secret_value()

    def database_owner_url_text(self) -> str:
        return _given(self.database_owner_url).get_secret_value()

    def redis_url_text(self) -> str | None:
        return None if self.redis_url is None else self.redis_url.get_secret_value()

    def secrets_key_bytes(self) -> bytes:
        return _given(self.secrets_key).get_secret_value()

    def previous_keys_bytes(self) -> tuple[bytes, ...]:
        return tuple(key.get_secret_value() for key in self.secrets_key_previous)

    def hmac_key_bytes(self) -> bytes:
        return _given(self.hmac_key).get_secret_value()

    def proxy_secret_bytes(self) -> bytes | None:
        return None if self.proxy_secret is None else self.proxy_secret.get_secret_value().encode()

    def bootstrap_admin(self) -> tuple[str | None, str | None]:
        """Address and password of the first administrator; both or neither."""
        password = self.bootstrap_admin_password
        return self.bootstrap_admin_email, None if password is None else password.get_secret_value()
