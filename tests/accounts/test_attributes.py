"""What is known of a person: which values are taken, and how they are told as claims."""

import pytest

from insula.accounts import service
from insula.accounts.attributes import read_changes
from insula.accounts.errors import InvalidUser, NoSuchUser
from insula.accounts.models import mapped_claims, standard_claims
from insula.audit import service as audit

ADDRESS = {"street_address": "12 St James's Square\nLondon", "country": "UK"}
FULL = {
    "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "middle_name": "King",
    "nickname": "Countess", "profile": "https://a.example/ada", "picture": "https://a.example/ada.png",
    "website": "http://ada.example", "gender": "female", "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London", "locale": "en-GB", "phone_number": "+442071234567",
    "phone_number_verified": True, "address": ADDRESS,
}  # fmt: skip


async def set_and_tell(house, changes, mappings=None):
    async with house.tenant.transaction() as db:
        await service.set_attributes(db, house.person.id, changes)
    async with house.tenant.transaction() as db:
        return await service.claims(db, house.person.id, mappings or {})


@pytest.mark.spec("OIDCC-5.1", "UI-5")
async def test_every_standard_claim_is_told_with_its_type(house):
    told = await set_and_tell(house, FULL)
    assert {name: told[name] for name in FULL} == FULL
    assert isinstance(told["updated_at"], int)
    assert told["email_verified"] is True
    assert told["preferred_username"] == "ada"


@pytest.mark.spec("OIDCC-5.3.2", "UI-5")
async def test_what_is_taken_away_is_left_out_and_never_null(house):
    await set_and_tell(house, FULL)
    told = await set_and_tell(house, dict.fromkeys(FULL))
    assert set(told) == {"name", "preferred_username", "email", "email_verified", "updated_at"}
    assert told["name"] == "ada"


async def test_what_is_not_named_stays(house):
    await set_and_tell(house, {"nickname": "Countess", "department": "Engines"})
    told = await set_and_tell(house, {"gender": "female"}, {"dept": "department"})
    assert (told["nickname"], told["dept"]) == ("Countess", "Engines")


async def test_a_new_telephone_number_is_not_verified(house):
    await set_and_tell(house, {"phone_number": "+491", "phone_number_verified": True})
    told = await set_and_tell(house, {"phone_number": "+492"})
    assert told["phone_number_verified"] is False


@pytest.mark.parametrize("birthdate", ["1815-12-10", "0000-02-29", "2000-02-29", "1815"])
@pytest.mark.spec("OIDCC-5.1")
def test_a_birthdate_may_lack_its_year_or_its_day(birthdate):
    assert read_changes({"birthdate": birthdate})[1] == {"birthdate": birthdate}


@pytest.mark.spec("OIDCC-5.1")
@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *(("birthdate", bad) for bad in (
            "10.12.1815", "1815-13-01", "1815-02-30", "1815-12", "0000", "1900-02-29", "", 1815,
            "1815-12-10T00:00", "\u0661\u0668\u0661\u0665",
        )),
        *((name, bad) for name in ("profile", "picture", "website") for bad in (
            "ada", "javascript:alert(1)", "data:x", "ftp://a.example", "https://", "https://[::1",
            "https://u@a.example", "https://a.example/ x", "https://b\u00fccher.example", 1,
            "https://a.example/" + "x" * 2000,
        )),
        *(("address", bad) for bad in ("London", {}, [], {"city": "London"}, {"country": None})),
        ("address", {"country": {"a": 1}}),
        ("address", {"country": "a\x00"}),
        *((name, bad) for name in ("nickname", "middle_name", "gender", "given_name") for bad in (
            "", " ", 1, ["a"], "a\nb", "a\x00", "\ud800", "x" * 201, {},
        )),
        *(("locale", bad) for bad in ("english", "en_GB", "", "en-", 1)),
        *(("zoneinfo", bad) for bad in ("Europe/", "../etc/passwd", "", "a b")),
        *(("phone_number", bad) for bad in ("030 123", "+49 30", "+", "+1234567890123456")),
        ("phone_number_verified", "yes"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_in_the_form_of_its_claim_is_refused_by_name(name, bad):
    with pytest.raises(InvalidUser) as refusal:
        read_changes({name: bad})
    assert refusal.value.field.partition(".")[0] == name


@pytest.mark.parametrize("value", ["Engines", 7, 1.5, True, False, ["a", "b"], [1, 2]])
async def test_a_tenants_own_attribute_is_told_by_a_mapping_alone(house, value):
    told = await set_and_tell(
        house, {"department": value}, {"https://a.example/dept": "department"}
    )
    assert told["https://a.example/dept"] == value
    assert "department" not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sub", "x"), ("email", "x@a.example"), ("email_verified", True), ("username", "x"),
        ("Department", "x"), ("a b", "x"), ("", "x"), ("x" * 64, "x"), ("1a", "x"),
        ("department", {"a": 1}), ("department", [["a"]]), ("department", [None]),
        ("department", float("nan")), ("department", 2**53), ("department", ""),
        ("department", "x" * 1001), ("department", ["x"] * 51), ("department", "a\x00"),
    ],
)  # fmt: skip
def test_what_is_no_attribute_is_refused_by_name(name, value):
    with pytest.raises(InvalidUser) as refusal:
        read_changes({name: value})
    assert refusal.value.field == name


async def test_attributes_have_an_end(house):
    with pytest.raises(InvalidUser):
        await set_and_tell(house, {f"a{n}": n for n in range(80)})
    with pytest.raises(InvalidUser):
        await set_and_tell(house, {f"a{n}": "x" * 1000 for n in range(20)})
    await set_and_tell(house, {f"a{n}": "\U0001f600" * 250 for n in range(10)})


async def test_a_person_is_made_with_a_profile_and_a_change_is_recorded(house):
    async with house.tenant.transaction() as db:
        made = await service.create(db, username="eve", profile={"nickname": "E", "locale": "de"})
        told = await service.claims(db, made, {})
    async with house.tenant.transaction() as db:
        await service.set_attributes(db, made, {"nickname": "F", "locale": None})
    async with house.tenant.transaction() as db:
        (last,) = await audit.newest(db, 1)
    assert (told["nickname"], told["locale"]) == ("E", "de")
    assert last.event == "user.updated"
    assert last.metadata == {"changed": ["locale", "nickname"]}


async def test_another_tenants_person_is_unknown(two_houses):
    a, b = two_houses
    for act in (service.set_attributes, service.claims):
        with pytest.raises(NoSuchUser):
            async with a.tenant.transaction() as db:
                await act(db, b.person.id, {})


def test_claims_of_a_row_without_attributes_are_those_of_its_columns():
    assert standard_claims({"username": "ada"}) == {"name": "ada", "preferred_username": "ada"}
    assert standard_claims({"username": "ada", "attributes": None}).keys() == {
        "name",
        "preferred_username",
    }


def test_who_lacks_an_attribute_lacks_the_claim():
    assert mapped_claims({"a": 0, "b": None, "c": False}, {"x": "a", "y": "b", "z": "c"}) == {
        "x": 0,
        "z": False,
    }
    assert mapped_claims({}, {"x": "a"}) == {}
