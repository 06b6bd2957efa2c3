import pytest
from serving import serving
from spine import FAST, GRANTS, Api, signed_in


@pytest.fixture(scope="session")
def app(product):
    return product.app("acme", grant_types=GRANTS, **FAST)


@pytest.fixture(scope="session")
def api(product, app):
    """The application at the endpoints of Acme."""
    return Api(product, "acme", app)


@pytest.fixture(scope="session")
def ada(product, app):
    """Ada's browser, signed in at Acme."""
    with signed_in(product, "acme", app) as browser:
        yield browser


@pytest.fixture(scope="session")
def four_workers(product, tmp_path_factory):
    """Another server of the same installation, of four processes."""
    here = product.server.environment
    more = {
        "INSULA_WORKERS": "4",
        "INSULA_PUBLIC_PORT": here["INSULA_PUBLIC_PORT"],
        "INSULA_TRUSTED_PROXIES": "127.0.0.0/8",
    }
    with serving(
        here["INSULA_DATABASE_URL"],
        here["INSULA_DATABASE_PLATFORM_URL"],
        here["INSULA_REDIS_URL"],
        tmp_path_factory.mktemp("four"),
        **more,
    ) as server:
        yield server
