import base64
import secrets

import pytest

from insula.platform import environment
from insula.platform.environment import BadConfiguration

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = bytes(range(100, 132)).hex()
WORD = secrets.token_hex(12)

SERVING = {
    "INSULA_BASE_DOMAIN": "auth.example.com",
    "INSULA_DATABASE_URL": f"postgresql://app:{WORD}@db/identity",
    "INSULA_DATABASE_PLATFORM_URL": f"postgresql://platform:{WORD}@db/identity",
    "INSULA_SECRETS_KEY": KEY,
    "INSULA_HMAC_KEY": OTHER_KEY,
}


def load(**more):
    return environment.load(SERVING | more, None)


def refusal(environ, **options):
    with pytest.raises(BadConfiguration) as caught:
        environment.load(environ, None, **options)
    return caught.value


def wrong(**more):
    """Give what is said of each variable when *more* is added to a good configuration."""
    return {m.name: m.wrong for m in refusal(SERVING | more).mistakes}


def shown(settings):
    return {name: value for name, value, _ in environment.effective(settings)}


def test_a_good_configuration_loads():
    settings = load()

    assert settings.env == "production"
    assert settings.secrets_key_bytes() == bytes(range(32))
    assert settings.hmac_key_bytes() == bytes(range(100, 132))


def test_the_defaults_are_those_of_the_specification():
    settings = load()

    assert settings.multi_tenancy_enabled is False
    assert settings.multi_tenancy_extraction_priority == ("header", "subdomain")
    assert settings.multi_tenancy_tenant_header == "x-tenant-id"
    assert settings.multi_tenancy_header_trusted_cidrs == ()
    assert settings.multi_tenancy_provider_pool_max_size == 1000
    assert settings.multi_tenancy_provider_pool_idle_ttl_ms == 1_800_000
    assert settings.multi_tenancy_provider_pool_cleanup_interval_ms == 60_000
    assert settings.metrics_cidrs == ("127.0.0.0/8", "::1/128")
    assert settings.poll_seconds == 3


def test_development_trusts_the_tenant_header_from_loopback():
    trusted = load(INSULA_ENV="development").resolution_rules().trusted

    assert "127.0.0.1" in trusted
    assert "::1" in trusted
    assert "10.0.0.1" not in trusted


def test_issuers_are_https_outside_development():
    assert load().naming().origin("acme.auth.example.com") == "https://acme.auth.example.com"


def test_issuers_carry_the_public_port_in_development():
    settings = load(INSULA_ENV="development", INSULA_PUBLIC_PORT="8000")

    assert settings.naming().origin("acme.localhost") == "http://acme.localhost:8000"


def test_all_mistakes_are_told_at_once_each_on_one_line():
    error = refusal(
        {
            "INSULA_ENV": "prod",
            "INSULA_PORT": "eight thousand",
            "INSULA_COOKIE_SECURE": "perhaps",
            "INSULA_POLL_SECONDS": "9",
        }
    )

    assert {m.name for m in error.mistakes} == {
        "INSULA_ENV",
        "INSULA_PORT",
        "INSULA_COOKIE_SECURE",
        "INSULA_POLL_SECONDS",
        *SERVING,
    }
    assert len(str(error).splitlines()) == len(error.mistakes)


def test_a_mistake_names_the_variable_what_is_wrong_and_an_example():
    assert str(refusal(SERVING | {"INSULA_ENV": "prod"})) == (
        "INSULA_ENV: 'prod' is none of development, staging, production; "
        "for example INSULA_ENV=production"
    )


def test_a_mistyped_name_is_a_mistake_that_names_the_nearest_variable():
    mistakes = wrong(INSULA_REDIS="redis://127.0.0.1")

    assert "INSULA_REDIS_URL" in mistakes["INSULA_REDIS"]


def test_a_wrong_environment_is_not_also_judged_as_production():
    assert set(wrong(INSULA_ENV="dev", INSULA_COOKIE_SECURE="false")) == {"INSULA_ENV"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INSULA_DATABASE_URL", "mysql://app:hunter2hunter2@db/identity"),
        ("INSULA_DATABASE_URL", "postgresql://app:hunter2/hunter2@db/identity"),
        ("INSULA_REDIS_URL", "redis://u:12/hunter2hunter2@cache"),
        ("INSULA_SECRETS_KEY", "hunter2hunter2"),
        ("INSULA_SECRETS_KEY_PREVIOUS", "hunter2hunter2"),
        ("INSULA_PROXY_SECRET", "hunter2\nhunter2"),
        ("INSULA_BOOTSTRAP_ADMIN_PASSWORD", "hunter2"),
    ],
)
def test_a_refusal_never_repeats_a_secret(name, value):
    error = refusal(SERVING | {name: value})

    assert name in str(error)
    assert "hunter2" not in str(error)
    assert error.__cause__ is None


def test_effective_values_come_with_their_source_and_without_secrets(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("INSULA_LOG_LEVEL=debug\nOTHER=1\n")
    key_file = tmp_path / "key"
    key_file.write_text(KEY + "\n")
    environ = SERVING | {"INSULA_REDIS_URL": f"redis://:{WORD}@127.0.0.1/0?password={WORD}"}
    del environ["INSULA_SECRETS_KEY"]

    settings = environment.load(environ | {"INSULA_SECRETS_KEY_FILE": str(key_file)}, env_file)

    rows = {name: (value, source) for name, value, source in environment.effective(settings)}
    assert rows["INSULA_LOG_LEVEL"] == ("DEBUG", ".env")
    assert rows["INSULA_PORT"] == ("8000", "default")
    assert rows["INSULA_SECRETS_KEY"] == ("••••••••", "file")
    assert rows["INSULA_DATABASE_URL"] == ("postgresql://app:••••••••@db/identity", "environment")
    assert rows["INSULA_REDIS_URL"][0] == "redis://:••••••••@127.0.0.1/0?password=••••••••"


def test_a_password_that_looks_like_a_url_is_masked_whole():
    settings = load(
        INSULA_BOOTSTRAP_ADMIN_EMAIL="ada@example.com",
        INSULA_BOOTSTRAP_ADMIN_PASSWORD="https://correct.horse/battery",  # noqa: S106
    )

    assert shown(settings)["INSULA_BOOTSTRAP_ADMIN_PASSWORD"] == environment.MASK


def test_settings_do_not_print_their_secrets():
    text = repr(load(INSULA_SECRETS_KEY_PREVIOUS=OTHER_KEY))

    assert WORD not in text
    assert OTHER_KEY not in text
    assert repr(bytes(range(32))) not in text


def test_the_environment_wins_over_the_file(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("INSULA_PORT=9000\nINSULA_WORKERS=2\n")

    settings = environment.load(SERVING | {"INSULA_PORT": "9001"}, env_file)

    assert (settings.port, settings.workers) == (9001, 2)


def test_an_empty_variable_counts_as_not_set():
    assert load(INSULA_REDIS_URL="", INSULA_PORT="").port == 8000
    assert wrong(INSULA_BASE_DOMAIN="") == {"INSULA_BASE_DOMAIN": "is not set"}


def test_a_file_of_variables_that_is_no_text_is_a_mistake(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_bytes(b"INSULA_PORT=\xff\n")

    with pytest.raises(BadConfiguration, match="not UTF-8"):
        environment.load(SERVING, env_file)


def test_a_secret_may_come_from_a_file(tmp_path):
    path = tmp_path / "previous"
    path.write_text(f"{KEY},{OTHER_KEY}\n")

    settings = load(INSULA_SECRETS_KEY_PREVIOUS_FILE=str(path))

    assert settings.previous_keys_bytes() == (bytes(range(32)), bytes(range(100, 132)))


def test_a_secret_both_in_the_environment_and_in_a_file_is_a_mistake(tmp_path):
    path = tmp_path / "key"
    path.write_text(KEY)

    assert "INSULA_SECRETS_KEY_FILE" in wrong(INSULA_SECRETS_KEY_FILE=str(path))


def test_a_file_that_cannot_be_read_is_one_mistake():
    environ = SERVING | {"INSULA_HMAC_KEY_FILE": "/nowhere/key"}
    del environ["INSULA_HMAC_KEY"]

    assert [m.name for m in refusal(environ).mistakes] == ["INSULA_HMAC_KEY_FILE"]


def test_only_secrets_come_from_files():
    assert "INSULA_PORT_FILE" in wrong(INSULA_PORT_FILE="/etc/hostname")


def test_migrating_needs_the_owner_alone():
    owner = {"INSULA_DATABASE_OWNER_URL": f"postgresql://owner:{WORD}@db/identity"}

    settings = environment.load(owner, None, needs=environment.MIGRATE)

    assert settings.database_owner_url_text() == owner["INSULA_DATABASE_OWNER_URL"]
    assert [m.name for m in refusal({}, needs=environment.MIGRATE).mistakes] == list(owner)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INSULA_BASE_DOMAIN", "https://auth.example.com"),
        ("INSULA_BASE_DOMAIN", "auth_example.com"),
        ("INSULA_DATABASE_URL", "postgresql+psycopg://app@db/identity"),
        ("INSULA_DATABASE_URL", "postgresql://db/identity"),
        ("INSULA_DATABASE_URL", "postgresql://app@db"),
        ("INSULA_REDIS_URL", "http://127.0.0.1"),
        ("INSULA_MULTI_TENANCY_EXTRACTION_PRIORITY", "header,cookie"),
        ("INSULA_MULTI_TENANCY_EXTRACTION_PRIORITY", "header,header"),
        ("INSULA_MULTI_TENANCY_EXTRACTION_PRIORITY", ","),
        ("INSULA_MULTI_TENANCY_TENANT_HEADER", "host"),
        ("INSULA_MULTI_TENANCY_TENANT_HEADER", "x tenant"),
        ("INSULA_TRUSTED_PROXIES", "proxy.example.com"),
        ("INSULA_SECRETS_KEY", base64.b64encode(bytes(range(31))).decode()),
        ("INSULA_POLL_SECONDS", "0.5"),
        ("INSULA_DATABASE_POOL_SIZE", "0"),
        ("INSULA_BOOTSTRAP_ADMIN_EMAIL", "ada"),
    ],
)
@pytest.mark.parametrize("env", ["development", "production"])
def test_an_ill_formed_value_is_refused_everywhere(env, name, value):
    assert name in wrong(**{"INSULA_ENV": env, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INSULA_COOKIE_SECURE", "false"),
        ("INSULA_PUBLIC_PORT", "8443"),
        ("INSULA_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("INSULA_TRUSTED_PROXIES", "10.0.0.0/8,::/0"),
        ("INSULA_MULTI_TENANCY_HEADER_TRUSTED_CIDRS", "0.0.0.0/0"),
        ("INSULA_REDIS_URL", "redis://cache.example.com:6379/0"),
        ("INSULA_REDIS_URL", "redis://:short@127.0.0.1:6379/0"),
        ("INSULA_DATABASE_URL", "postgresql://app:short@db/identity"),
        ("INSULA_DATABASE_URL", "postgresql://app:change-me-please@db/identity"),
        ("INSULA_SECRETS_KEY", "00" * 32),
        ("INSULA_HMAC_KEY", KEY),
        ("INSULA_PROXY_SECRET", "short"),
    ],
)
def test_what_development_forgives_is_refused_elsewhere(name, value):
    load(INSULA_ENV="development", **{name: value})

    assert name in wrong(INSULA_ENV="staging", **{name: value})
    assert name in wrong(INSULA_ENV="production", **{name: value})


def test_proxies_are_never_a_star():
    assert "INSULA_TRUSTED_PROXIES" in wrong(INSULA_ENV="development", INSULA_TRUSTED_PROXIES="*")


def test_redis_without_a_password_may_be_on_this_machine():
    assert load(INSULA_REDIS_URL="redis://127.0.0.1:6379/0").redis_url_text()


def test_the_two_serving_connections_are_two_roles():
    assert "INSULA_DATABASE_PLATFORM_URL" in wrong(
        INSULA_DATABASE_PLATFORM_URL=SERVING["INSULA_DATABASE_URL"]
    )


def test_the_first_administrator_needs_address_and_password():
    assert "INSULA_BOOTSTRAP_ADMIN_PASSWORD" in wrong(INSULA_BOOTSTRAP_ADMIN_EMAIL="a@example.com")
    assert "INSULA_BOOTSTRAP_ADMIN_EMAIL" in wrong(
        INSULA_BOOTSTRAP_ADMIN_PASSWORD="correct horse battery"  # noqa: S106
    )


def test_tenants_do_not_stand_under_an_address():
    address = {"INSULA_BASE_DOMAIN": "127.0.0.1"}

    assert load(**address).base_domain == "127.0.0.1"
    assert "INSULA_BASE_DOMAIN" in wrong(INSULA_MULTI_TENANCY_ENABLED="true", **address)


def test_what_may_be_meant_is_a_warning():
    settings = load(
        INSULA_MULTI_TENANCY_ENABLED="true",
        INSULA_BOOTSTRAP_ADMIN_EMAIL="ada@example.com",
        INSULA_BOOTSTRAP_ADMIN_PASSWORD="correct horse battery",  # noqa: S106
    )

    told = [warning.partition(" ")[0] for warning in environment.warnings(settings)]
    assert told == [
        "INSULA_REDIS_URL",
        "INSULA_MULTI_TENANCY_HEADER_TRUSTED_CIDRS",
        "INSULA_TRUSTED_PROXIES",
        "INSULA_BOOTSTRAP_ADMIN_EMAIL",
    ]


def test_a_complete_configuration_warns_of_nothing():
    settings = load(
        INSULA_REDIS_URL=f"rediss://:{WORD}@cache/0",
        INSULA_MULTI_TENANCY_ENABLED="true",
        INSULA_MULTI_TENANCY_HEADER_TRUSTED_CIDRS="10.0.0.0/24",
        INSULA_TRUSTED_PROXIES="10.0.0.0/24",
    )

    assert environment.warnings(settings) == []


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1


@pytest.mark.parametrize(
    ("more", "name", "said"),
    [
        ({"INSULA_OPS_PORT": "8000"}, "INSULA_OPS_PORT", "is INSULA_PORT too, 8000"),
        (
            {"INSULA_OPS_PORT": "8001", "INSULA_WORKER_PORT": "8001"},
            "INSULA_WORKER_PORT", "is INSULA_OPS_PORT too, 8001",
        ),
        (
            {"INSULA_OPS_PORT": "8001", "INSULA_WORKERS": "4"},
            "INSULA_OPS_PORT", "is one port for 4 processes",
        ),
    ],
)  # fmt: skip
def test_a_port_is_for_one(more, name, said):
    assert said in wrong(**more)[name]
    assert load(INSULA_OPS_PORT="8001", INSULA_WORKER_PORT="8002").ops_port == 8001
