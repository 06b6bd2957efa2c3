"""An installation to be certified: two tenants on https, and memory for the provider of one."""

import secrets

import pytest
from back_channels import BackChannel, has_begun, telling
from foundation import fresh_database
from product import SLUGS, Backstage, Product
from registering import SLUGS as DYNAMIC_SLUGS
from registering import make_dynamic_site
from serving import environment, with_password_file
from sites import BehindProxy, make_site, variables
from spine import until
from tls_host import tls_host

from insula.platform.embedded.ports import free_port


@pytest.fixture(scope="session")
def suite_host(tmp_path_factory):
    """Where the suite publishes what its clients refer to."""
    with tls_host(tmp_path_factory.mktemp("suite")) as host:
        yield host


@pytest.fixture(scope="session")
def back_channel(suite_host):
    """Where the suite is told of sign-outs."""
    channel = BackChannel(suite_host.authority)
    yield channel
    channel.close()


@pytest.fixture(scope="session")
def certification(cluster, template, worker_id, tmp_path_factory, suite_host, back_channel):
    """The installation of this worker."""
    urls = fresh_database(cluster, template, f"insula_certification_{worker_id}")
    folder, port = tmp_path_factory.mktemp("certification"), free_port()
    keys = {f"INSULA_{name}_KEY": secrets.token_urlsafe(32) for name in ("SECRETS", "HMAC")}
    behind = environment(urls.app, urls.platform, cluster.valkey_url, port, **keys)
    front = {
        **behind,
        **variables(),
        **suite_host.variables,
        "INSULA_OUTBOUND_ALLOW": f"{suite_host.name},{back_channel.name}",
        **with_password_file(urls.app, urls.platform, folder),
    }
    del front["INSULA_PUBLIC_PORT"]
    server = BehindProxy(front, port, log=folder / "serve.log")
    server.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in behind.items():
                patch.setenv(variable, value)
            backstage = Backstage()
        product = Product(server, urls, backstage, f"http://127.0.0.1:{free_port()}")
        yield product
        product.db.close()
        backstage.close()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def worker(certification, tmp_path_factory):
    """What tells the suite of sign-outs."""
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    with telling(certification.server.environment, log) as process:
        until(30, lambda: has_begun(certification, process), every=0.1)
        yield process


@pytest.fixture(scope="session")
def sites(certification, back_channel):
    """The two tenants: same client_ids, same user name, same password."""
    return tuple(make_site(certification, slug, back_channel) for slug in SLUGS)


@pytest.fixture(scope="session")
def dynamic_sites(certification, suite_host):
    """Two other tenants, where the suite registers its clients itself."""
    return tuple(make_dynamic_site(certification, slug, suite_host) for slug in DYNAMIC_SLUGS)


@pytest.fixture
def response_mode():
    """How answers travel, unless a plan says otherwise."""
    return "query"
