"""Floors and ceilings: what a value is moved to, why, and what a save beyond one is told."""

import math
from typing import Annotated, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.config_overrides.errors import BoundViolated
from insula.config_overrides.models import Layers
from insula.config_overrides.resolution import clamp, explain, resolve, violations
from insula.kernel.settings import DecidedBy, Kind, Order, Section
from insula.platform.sections import CATALOGUE


class Everything(Section):
    key: ClassVar[str] = "test.everything"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT
    free: int = 1
    must: Annotated[bool, Kind.FLOOR_BOOL] = False
    may: Annotated[bool, Kind.CEIL_BOOL] = True
    least: Annotated[int, Kind.FLOOR_MIN] = 10
    most: Annotated[int, Kind.CEIL_MAX] = 10
    most_or_all: Annotated[int, Kind.CEIL_MAX0] = 0
    some: Annotated[tuple[Literal["a", "b", "c"], ...], Kind.SUBSET] = ("a", "b", "c")
    strict: Annotated[Literal["none", "some", "all"], Kind.FLOOR_ORDER] = "none"
    shut: Annotated[
        Literal["shut", "open"], Kind.FLOOR_ORDER, Order(("open", "shut"))
    ] = "open"  # fmt: skip


def layers(own=None, platform=None, bounds=None):
    return Layers(*({Everything.key: values or {}} for values in (own, platform, bounds)))


@pytest.mark.spec("features C04", "features C08")
def test_a_word_of_another_release_gives_nothing_back_that_a_list_takes_away():
    newer = ["a", "of-another-release"]
    assert resolve(Everything, layers(own={"some": newer})).some == ("a",)
    assert resolve(Everything, layers(platform={"some": newer})).some == ("a",)
    assert resolve(Everything, layers(bounds={"some": newer})).some == ("a",)
    assert resolve(Everything, layers(own={"some": 5})).some == ("a", "b", "c")


@pytest.mark.spec("features C03", "features C04")
@pytest.mark.parametrize(
    ("field", "bound", "beyond", "within"),
    [
        ("must", True, False, True),
        ("may", False, True, False),
        ("least", 20, 19, 21),
        ("most", 5, 6, 4),
        ("most_or_all", 5, 6, 4),
        ("most_or_all", 5, 0, 5),
        ("strict", "some", "none", "all"),
        ("shut", "shut", "open", "shut"),
    ],
)
def test_a_value_beyond_a_bound_is_moved_to_it_and_named(field, bound, beyond, within):
    held = layers(own={field: beyond}, bounds={field: bound})
    assert getattr(resolve(Everything, held), field) == bound
    (named,) = violations(Everything, {field: beyond}, held)
    assert (named.field, named.value, named.bound) == (f"test.everything.{field}", beyond, bound)
    (told,) = [each for each in explain(Everything, held) if each.name == field]
    assert (told.source, told.own, told.effective, told.bound) == ("clamped", beyond, bound, bound)

    inside = layers(own={field: within}, bounds={field: bound})
    assert getattr(resolve(Everything, inside), field) == within
    assert violations(Everything, {field: within}, inside) == []


@pytest.mark.spec("features C04")
def test_a_bound_of_no_limit_binds_nothing_and_the_word_for_none_is_said():
    every = layers(own={"most_or_all": 9}, bounds={"most_or_all": 0})
    assert resolve(Everything, every).most_or_all == 9
    assert violations(Everything, {"most_or_all": 0}, every) == []
    held = layers(bounds={"most_or_all": 5})
    assert resolve(Everything, held).most_or_all == 5  # what is built in is bound too
    refusal = BoundViolated(violations(Everything, {"most_or_all": 0}, held))
    assert "no “0” (unlimited) here: its bound is “5”" in refusal.description


@pytest.mark.spec("features C04")
def test_of_a_list_what_the_bound_does_not_hold_is_cut_and_named():
    held = layers(own={"some": ["c", "b", "a"]}, bounds={"some": ["a", "c"]})
    assert resolve(Everything, held).some == ("c", "a")
    (told,) = [each for each in explain(Everything, held) if each.name == "some"]
    assert (told.source, told.effective, told.bound) == ("clamped", ["c", "a"], ["a", "c"])
    (named,) = broken = violations(Everything, {"some": ["c", "b"]}, held)
    assert named.too_many == ("b",)
    assert "no “b” here: its bound is “a, c”" in BoundViolated(broken).description
    assert violations(Everything, {"some": ["c"]}, held) == []


_LISTS = st.lists(st.sampled_from("abc"), unique=True)


@given(value=st.integers(0, 9), bound=st.integers(0, 9), some=_LISTS, of=_LISTS)
def test_what_is_moved_is_the_nearest_that_the_bound_allows(value, bound, some, of):
    bounds = {"most_or_all": bound, "some": of}
    inside = clamp(Everything, "most_or_all", value, bounds)
    # 0 is beyond every number
    assert (inside or math.inf) == min(value or math.inf, bound or math.inf)
    kept = clamp(Everything, "some", some, bounds)
    assert kept == [each for each in some if each in of]
    assert clamp(Everything, "some", kept, bounds) == kept


@pytest.mark.spec("features C08")
def test_a_tenants_value_goes_before_the_platforms_and_that_before_what_is_built_in():
    both = layers(own={"free": 3}, platform={"free": 2, "most": 7})
    assert (resolve(Everything, both).free, resolve(Everything, both).most) == (3, 7)
    told = {each.name: each for each in explain(Everything, both)}
    assert (told["free"].source, told["free"].inherited) == ("tenant", 2)
    assert (told["most"].source, told["must"].source) == ("platform", "default")


def test_a_bound_holds_for_what_is_inherited_and_built_in_too():
    assert resolve(Everything, layers(bounds={"most": 5})).most == 5
    assert resolve(Everything, layers(platform={"most": 8}, bounds={"most": 5})).most == 5


@pytest.mark.parametrize("bad", [{"most": "five"}, {"free": 1}, {"gone": 1}, {"strict": "most"}])
def test_a_bound_that_this_release_does_not_take_binds_nothing(bad):
    assert resolve(Everything, layers(own={"most": 9}, bounds=bad)) == Everything(most=9)


_WORDS = st.sampled_from(["none", "all", "open", "a", "b", "c"])
_JSON = st.none() | st.booleans() | st.integers(-5, 30) | _WORDS | st.lists(_WORDS, max_size=3)
_VALUES = st.dictionaries(st.sampled_from([*Everything.model_fields, "gone"]), _JSON)


@given(own=_VALUES, platform=_VALUES, bounds=_VALUES)
def test_whatever_is_stored_something_holds_and_lies_within_the_bounds(own, platform, bounds):
    held = layers(own, platform, bounds)
    found = resolve(Everything, held)
    assert violations(Everything, found.model_dump(), held) == []
    told = {each.name: each.effective for each in explain(Everything, held)}
    assert told == found.model_dump(mode="json")


@pytest.mark.spec("features J/C")
def test_every_bound_of_the_catalogue_fits_the_type_of_its_field():
    numbers, flags = (
        {Kind.FLOOR_MIN, Kind.CEIL_MAX, Kind.CEIL_MAX0}, {Kind.FLOOR_BOOL, Kind.CEIL_BOOL},
    )  # fmt: skip
    for section in CATALOGUE:
        for name, info in section.model_fields.items():
            kind = section.kind(name)
            assert kind not in numbers or info.annotation is int, name
            assert kind not in flags or info.annotation is bool, name
            if kind is Kind.FLOOR_ORDER:
                assert info.get_default() in section.choices(name), name
            if kind is Kind.CEIL_MAX0:
                section.model_validate({name: 0})
            if kind is Kind.SUBSET:
                assert set(info.get_default()) == set(section.choices(name)), name
