"""The first administrator of an installation: made once, and never kept with the first password."""

import psycopg
import pytest
from browsing import Browser
from cluster import create_database
from foundation import DatabaseUrls
from serving import serving

EMAIL, PASSWORD = "first@platform.example", "the first password of all"
NEW = "seventeen grey herons"


@pytest.fixture
def urls(cluster, template, worker_id):
    """A database on which nothing has been served yet."""
    name = f"insula_bootstrap_{worker_id}"
    create_database(cluster.postgres_url, name, template)
    with psycopg.connect(cluster.postgres_url, autocommit=True) as db:
        db.execute(f"alter database {name} owner to insula_owner")
    return DatabaseUrls.of(cluster.postgres_url, name)


@pytest.fixture
def started(urls, cluster, tmp_path):
    """Start an installation that names its first administrator."""

    def started():
        return serving(
            urls.app,
            urls.platform,
            cluster.valkey_url,
            tmp_path,
            INSULA_BOOTSTRAP_ADMIN_EMAIL=EMAIL,
            INSULA_BOOTSTRAP_ADMIN_PASSWORD=PASSWORD,
        )

    return started


def sign_in(browser, server, password):
    page = browser.open(f"{server.issuer('platform')}/sign-in")
    return browser.submit(page, "sign_in", username=EMAIL, password=password)


def test_the_first_password_is_replaced_at_once_and_a_second_start_brings_it_not_back(started):
    with started() as server, Browser() as browser:
        asked = sign_in(browser, server, PASSWORD)
        assert asked.path == "/sign-in/new-password"
        again = browser.submit(asked, "save", new_password=PASSWORD, repeat=PASSWORD)
        assert "Choose another password" in again.text
        assert "You are signed in" in browser.submit(again, new_password=NEW, repeat=NEW).text
        assert PASSWORD not in server.log.read_text()

    with started() as server, Browser() as browser:
        assert sign_in(browser, server, PASSWORD).status == 422
        assert "You are signed in" in sign_in(browser, server, NEW).text
        assert "BOOTSTRAP" in server.log.read_text()
