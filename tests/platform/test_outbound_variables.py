"""Where requests to other hosts may go is exact, and in production there is no exception."""

import pytest

from insula.platform import environment
from insula.platform.environment import BadConfiguration


def load(**more):
    return environment.load({"INSULA_ENV": "development"} | more, None, needs=())


def wrong(**more):
    with pytest.raises(BadConfiguration) as caught:
        load(**more)
    return {mistake.name: mistake.wrong for mistake in caught.value.mistakes}


def test_without_the_variables_only_public_hosts_are_asked():
    rules = load().outbound_rules()

    assert rules.allow == frozenset()
    assert rules.ca_file is None


def test_exceptions_are_exact_pairs_in_one_spelling():
    rules = load(INSULA_OUTBOUND_ALLOW="Suite.Internal:8443, [0:0::1]:9000").outbound_rules()

    assert rules.allow == {"suite.internal:8443", "[::1]:9000"}


@pytest.mark.parametrize(
    "pair", ["suite.internal", "*:8443", "10.0.0.0/8", "https://a:1", "a:0", "127.1:80", "u@a:1"]
)
def test_what_is_no_exact_pair_is_refused(pair):
    assert "exact pairs" in wrong(INSULA_OUTBOUND_ALLOW=pair)["INSULA_OUTBOUND_ALLOW"]


@pytest.mark.parametrize("pair", ["127.0.0.1:8443", "suite.internal:8443"])
def test_production_knows_no_exception(pair):
    mistakes = wrong(INSULA_ENV="production", INSULA_OUTBOUND_ALLOW=pair)

    assert "remove" in mistakes["INSULA_OUTBOUND_ALLOW"]


def test_staging_is_warned_of_an_exception_at_every_start():
    settings = load(INSULA_ENV="staging", INSULA_OUTBOUND_ALLOW="suite.internal:8443")

    assert any("suite.internal:8443" in line for line in environment.warnings(settings))
    assert not any("OUTBOUND" in line for line in environment.warnings(load()))


def test_authorities_must_be_certificates(tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")

    for path in (tmp_path / "empty.pem", tmp_path / "absent.pem", tmp_path):
        assert "PEM" in wrong(INSULA_OUTBOUND_CA_FILE=str(path))["INSULA_OUTBOUND_CA_FILE"]
