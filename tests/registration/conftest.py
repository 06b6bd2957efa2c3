import pytest
from registrar import Registrar
from serving import serving
from tls_host import tls_host


@pytest.fixture(scope="session")
def others(tmp_path_factory):
    """A host where clients publish their documents."""
    with tls_host(tmp_path_factory.mktemp("others")) as host:
        yield host


@pytest.fixture(scope="session")
def processes(product, others, tmp_path_factory):
    """Another server of the installation, of several processes, that reaches that host."""
    here = product.server.environment
    more = {
        "INSULA_WORKERS": "3",
        "INSULA_PUBLIC_PORT": here["INSULA_PUBLIC_PORT"],
        "INSULA_TRUSTED_PROXIES": "127.0.0.0/8",
        "INSULA_POLL_SECONDS": "1",
        **others.variables,
    }
    with serving(
        here["INSULA_DATABASE_URL"],
        here["INSULA_DATABASE_PLATFORM_URL"],
        here["INSULA_REDIS_URL"],
        tmp_path_factory.mktemp("registrars"),
        **more,
    ) as server:
        yield server


@pytest.fixture(scope="session")
def registrar(product, processes):
    """Make a tenant of its own that lets clients register, at that server."""
    made = []

    def make(slug, **switches):
        product.tenant(slug)
        registrar = Registrar(product, slug, processes.port)
        registrar.switch(**{"registration": "token", **switches})
        made.append(registrar)
        return registrar

    yield make
    for registrar in made:
        registrar.http.close()


@pytest.fixture(scope="session")
def initech(registrar):
    """A tenant where a token is needed."""
    return registrar("soylent")


@pytest.fixture(scope="session")
def umbrella(registrar):
    """Another one, its neighbour."""
    return registrar("tyrell")
