"""Installations as operators have them: one behind a proxy, and one for a single tenant."""

import secrets

import psycopg
import pytest
from foundation import fresh_database
from installations import (
    FIRST_EMAIL,
    FIRST_PASSWORD,
    PROXY_SECRET,
    BehindProxy,
    Installation,
)
from psycopg.rows import namedtuple_row
from serving import environment, serving, with_password_file

from insula.platform.embedded.ports import free_port


@pytest.fixture(scope="session")
def production(cluster, template, worker_id, tmp_path_factory):
    """Behind a proxy that knows the secret, on https names under auth.example."""
    urls = fresh_database(cluster, template, f"insula_production_{worker_id}")
    folder = tmp_path_factory.mktemp("production")
    port = free_port()
    variables = environment(urls.app, urls.platform, cluster.valkey_url, port)
    del variables["INSULA_PUBLIC_PORT"]
    variables |= {
        **with_password_file(urls.app, urls.platform, folder),
        "INSULA_ENV": "production",
        "INSULA_BASE_DOMAIN": "auth.example",
        "INSULA_SECRETS_KEY": secrets.token_urlsafe(32),
        "INSULA_HMAC_KEY": secrets.token_urlsafe(32),
        "INSULA_TRUSTED_PROXIES": "127.0.0.0/8,10.1.0.0/16",
        "INSULA_MULTI_TENANCY_HEADER_TRUSTED_CIDRS": "127.0.0.0/8",
        "INSULA_PROXY_SECRET": PROXY_SECRET,
        "INSULA_METRICS_CIDRS": "10.9.0.0/16",
        "INSULA_BOOTSTRAP_ADMIN_EMAIL": FIRST_EMAIL,
        "INSULA_BOOTSTRAP_ADMIN_PASSWORD": FIRST_PASSWORD,
        "INSULA_POLL_SECONDS": "1",
    }
    server = BehindProxy(variables, port, log=folder / "serve.log")
    server.start()
    with psycopg.connect(urls.superuser, autocommit=True, row_factory=namedtuple_row) as db:
        made = Installation(server, db)
        made.run(
            "tenant", "create", "acme", "--domain", "login.acme.example",
            "--proven-by-operator", "ours",
        )  # fmt: skip
        made.run("tenant", "create", "globex")
        yield made
    server.stop()


@pytest.fixture(scope="session")
def alone(cluster, template, worker_id, tmp_path_factory):
    """A single-tenant installation for development, started twice at the same moment."""
    urls = fresh_database(cluster, template, f"insula_alone_{worker_id}")
    more = {
        "INSULA_MULTI_TENANCY_ENABLED": "false",
        "INSULA_BOOTSTRAP_ADMIN_EMAIL": FIRST_EMAIL,
        "INSULA_BOOTSTRAP_ADMIN_PASSWORD": FIRST_PASSWORD,
        "INSULA_WORKERS": "2",
        "INSULA_WORKER_IN_PROCESS": "true",
    }
    folder = tmp_path_factory.mktemp("alone")
    with (
        serving(urls.app, urls.platform, cluster.valkey_url, folder, **more) as server,
        psycopg.connect(urls.superuser, autocommit=True, row_factory=namedtuple_row) as db,
    ):
        yield Installation(server, db)
