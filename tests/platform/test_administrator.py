"""A first administrator that cannot be made is not passed over in silence."""

from structlog.testing import capture_logs

from insula.accounts import service as accounts
from insula.platform.bootstrap import make_administrator

EMAIL, PASSWORD = "first@platform.example", "the first password of all"


async def bootstrap(house, platform_door, passwords):
    return await make_administrator(
        platform_door, passwords, house.tenant.id, email=EMAIL, password=PASSWORD, multi_tenant=True
    )


async def test_somebody_else_of_that_name_is_warned_of(house, platform_door, passwords):
    async with house.tenant.transaction() as db:
        await accounts.create(db, username="platform-admin", email=None)

    with capture_logs() as logs:
        assert not await bootstrap(house, platform_door, passwords)

    (warning,) = [line for line in logs if line["event"] == "bootstrap.no_administrator"]
    assert warning["log_level"] == "warning"
    assert warning["email"] == EMAIL


async def test_an_administrator_who_is_there_is_not(house, platform_door, passwords):
    assert await bootstrap(house, platform_door, passwords)

    with capture_logs() as logs:
        assert not await bootstrap(house, platform_door, passwords)

    assert logs == []
