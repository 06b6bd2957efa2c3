"""Floors and ceilings: what a value is moved to, why, and what a save beyond one is told."""

from typing import Annotated, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.config_overrides.models import Layers
from insula.config_overrides.resolution import explain, resolve, violations
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
    strict: Annotated[Literal["none", "some", "all"], Kind.FLOOR_ORDER] = "none"
    shut: Annotated[
        Literal["shut", "open"], Kind.FLOOR_ORDER, Order(("open", "shut"))
    ] = "open"  # fmt: skip


def layers(own=None, platform=None, bounds=None):
    return Layers(*({Everything.key: values or {}} for values in (own, platform, bounds)))


@pytest.mark.spec("features C03", "features C04")
@pytest.mark.parametrize(
    ("field", "bound", "beyond", "within"),
    [
        ("must", True, False, True),
        ("may", False, True, False),
        ("least", 20, 19, 21),
        ("most", 5, 6, 4),
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


_JSON = st.none() | st.booleans() | st.integers(-5, 30) | st.sampled_from(["none", "all", "open"])
_VALUES = st.dictionaries(st.sampled_from([*Everything.model_fields, "gone"]), _JSON)


@given(own=_VALUES, platform=_VALUES, bounds=_VALUES)
def test_whatever_is_stored_something_holds_and_lies_within_the_bounds(own, platform, bounds):
    held = layers(own, platform, bounds)
    found = resolve(Everything, held)
    assert violations(Everything, found.model_dump(), held) == []
    assert {each.name: each.effective for each in explain(Everything, held)} == found.model_dump()


@pytest.mark.spec("features J/C")
def test_every_bound_of_the_catalogue_fits_the_type_of_its_field():
    numbers, flags = {Kind.FLOOR_MIN, Kind.CEIL_MAX}, {Kind.FLOOR_BOOL, Kind.CEIL_BOOL}
    for section in CATALOGUE:
        for name, info in section.model_fields.items():
            kind = section.kind(name)
            assert kind not in numbers or info.annotation is int, name
            assert kind not in flags or info.annotation is bool, name
            if kind is Kind.FLOOR_ORDER:
                assert info.get_default() in section.choices(name), name
