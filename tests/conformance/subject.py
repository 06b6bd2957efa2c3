"""The person whom the certification suite signs in as, with every claim that a person can have."""

from datetime import UTC, datetime

from people import Somebody, hashed

from insula.accounts import service as accounts

USERNAME = "certified"
#: The same at every tenant: what tells two people apart is the tenant alone.
PASSWORD = "the same words at every tenant"

_SINCE = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


class Moment:
    """Equal to any number of seconds since 1970 that is not in the future."""

    def __eq__(self, other):
        now = datetime.now(UTC).timestamp()
        return type(other) is int and _SINCE < other <= now

    def __repr__(self):
        return "a moment"

    __hash__ = None


def claims_of(slug):
    """What each scope stands for, for this person of tenant *slug* (OIDCC-5.1, OIDCC-5.4)."""
    return {
        "profile": {
            "name": f"Ada of {slug}",
            "given_name": "Ada",
            "family_name": slug.title(),
            "preferred_username": USERNAME,
            "zoneinfo": "Europe/London",
            "locale": "en-GB",
            "updated_at": Moment(),
        },
        "email": {"email": f"{USERNAME}@{slug}.example", "email_verified": True},
        "phone": {"phone_number": f"+4420794600{len(slug)}", "phone_number_verified": True},
    }


def make_subject(product, slug):
    """Make the person at a tenant."""
    says = claims_of(slug)
    profile, email, phone = says["profile"], says["email"], says["phone"]

    async def make(db):
        return await accounts.create(
            db,
            username=USERNAME,
            email=email["email"],
            email_verified=True,
            display_name=profile["name"],
            given_name=profile["given_name"],
            family_name=profile["family_name"],
            password_hash=hashed(PASSWORD),
        )

    user_id = product.in_transaction(slug, make)
    product.change(
        "update insula.users set zoneinfo = %s, locale = %s, phone_number = %s,"
        " phone_verified = true where id = %s",
        profile["zoneinfo"],
        profile["locale"],
        phone["phone_number"],
        user_id,
    )
    return Somebody(user_id, USERNAME, email["email"], PASSWORD)
