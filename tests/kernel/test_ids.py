"""A secret of one kind or tenant is never one of another."""

import itertools
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.kernel.ids import PREFIXES, Kind, digest, new_secret

A, B = uuid4(), uuid4()


@pytest.mark.spec("security row 28", "ASVS 7.2", "TK-12")
@pytest.mark.parametrize("kind", PREFIXES)
def test_a_secret_is_256_random_bits_behind_its_prefix(kind):
    made = {new_secret(kind) for _ in range(50)}
    assert len(made) == 50
    for secret in made:
        assert secret.startswith(PREFIXES[kind])
        assert len(secret) - len(PREFIXES[kind]) == 43


@pytest.mark.spec("security decision 10", "CVE-2026-4282")
def test_the_same_value_is_another_secret_for_another_kind_or_tenant():
    digests = {digest(kind, tenant, "x") for kind, tenant in itertools.product(Kind, (A, B))}
    assert len(digests) == len(Kind) * 2
    assert {len(each) for each in digests} == {32}


@given(st.sampled_from(Kind), st.uuids(), st.text(), st.sampled_from(Kind), st.uuids(), st.text())
def test_digests_agree_only_where_everything_agrees(kind, tenant, value, kind2, tenant2, value2):
    same = (kind, tenant, value) == (kind2, tenant2, value2)
    assert (digest(kind, tenant, value) == digest(kind2, tenant2, value2)) == same


def test_any_text_from_outside_has_a_digest():
    assert digest(Kind.CODE, UUID(int=0), "\ud800\x00\U0001f600")
