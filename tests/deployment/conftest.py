import base64
import contextlib
import os
import signal
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from cluster import create_database, database_url
from containers import BASE, PROXY_SECRET, Container, container_of, grace, pod_of
from foundation import DatabaseUrls

from insula.platform.embedded.ports import free_port
from tools.chart import rendering

VALUES = {
    "baseDomain": BASE,
    "trustedProxies": ["127.0.0.0/8"],
    "secrets": {
        "redisUrl": {"name": "insula-events", "key": "url"},
        "proxySecret": {"name": "insula-proxy", "key": "secret"},
    },
}


def _without_password(url):
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()


def _random_key():
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture(scope="session")
def manifests():
    return rendering.render(VALUES)


@pytest.fixture(scope="session")
def container(manifests, cluster, template, worker_id, tmp_path_factory):  # noqa: ARG001  (the roles' passwords)
    """Make a container of the chart for a database that nobody has migrated yet."""
    folder = tmp_path_factory.mktemp("containers")
    name = f"insula_chart_{worker_id}"
    create_database(cluster.postgres_url, name)
    with psycopg.connect(cluster.postgres_url, autocommit=True) as db:
        db.execute(f"alter database {name} owner to insula_owner")
    urls = DatabaseUrls.of(cluster.postgres_url, name)
    # in production a URL may not hold such usual passwords
    passwords = folder / "pgpass"
    roles = ("insula_app", "insula_platform", "insula_owner")
    passwords.write_text("".join(f"*:*:*:{role}:{role}\n" for role in roles))
    passwords.chmod(0o600)
    secrets = {
        "database_url": _without_password(urls.app),
        "database_platform_url": _without_password(urls.platform),
        "database_owner_url": _without_password(urls.owner),
        "redis_url": cluster.valkey_url,
        "secrets_key": _random_key(),
        "hmac_key": _random_key(),
        "proxy_secret": PROXY_SECRET,
    }

    def container(command, **more) -> Container:
        return container_of(manifests, command, folder, secrets, PGPASSFILE=str(passwords), **more)

    return container


@pytest.fixture
def behind_it(container, cluster, worker_id):  # noqa: ARG001  (it makes the database)
    """A superuser's connection to the database of these containers."""
    url = database_url(cluster.postgres_url, f"insula_chart_{worker_id}")
    with psycopg.connect(url, autocommit=True) as db:
        yield db


@pytest.fixture(scope="session")
def migrated(container):
    """The migration's container, and what its first run said."""
    made = container("migrate")
    return made, made.run()


@dataclass
class Web:
    """The web container that serves, and how its probes ask it."""

    container: Container
    port: int
    ops_port: int
    probes: dict

    def ask(self, kind):
        path = self.probes[kind]["httpGet"]["path"]
        return httpx2.get(f"http://127.0.0.1:{self.ops_port}{path}", timeout=5)


@pytest.fixture(scope="session")
def web(container, manifests, migrated):
    assert migrated[1].returncode == 0, migrated[1].stderr
    port, ops_port = free_port(), free_port()
    served = container(
        "serve", INSULA_HOST="127.0.0.1", INSULA_PORT=str(port), INSULA_OPS_PORT=str(ops_port)
    )
    (spec,) = pod_of(manifests, "serve").containers
    found = Web(
        served, port, ops_port, {kind: spec[kind] for kind in spec if kind.endswith("Probe")}
    )
    served.start()
    try:
        _wait(found)
        yield found
    finally:
        code = served.stop(grace(manifests, "serve"))
    assert code in {0, -signal.SIGTERM}, served.log.read_text()[-2000:]


def _wait(web):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.HTTPError):
            if web.ask("readinessProbe").status_code == 200:
                return
        assert web.container.process.poll() is None, web.container.log.read_text()[-2000:]
        time.sleep(0.05)
    raise TimeoutError(web.container.log.read_text()[-2000:])
