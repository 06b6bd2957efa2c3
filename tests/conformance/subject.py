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


#: Claims that a person can have already, and that no scope stands for yet.
ARRIVING_CLAIMS = frozenset(
    {
        "address",
        "birthdate",
        "gender",
        "middle_name",
        "nickname",
        "picture",
        "profile",
        "website",
    }
)


def claims_of(slug):
    """What each scope stands for, for this person of tenant *slug* (OIDCC-5.1, OIDCC-5.4)."""
    page = f"https://people.example/{slug}"
    return {
        "profile": {
            "name": f"Ada of {slug}",
            "given_name": "Ada",
            "family_name": slug.title(),
            "middle_name": "Augusta",
            "nickname": "Countess",
            "preferred_username": USERNAME,
            "profile": page,
            "picture": f"{page}/portrait.png",
            "website": f"{page}/notes",
            "gender": "female",
            "birthdate": "1815-12-10",
            "zoneinfo": "Europe/London",
            "locale": "en-GB",
            "updated_at": Moment(),
        },
        "email": {"email": f"{USERNAME}@{slug}.example", "email_verified": True},
        "phone": {"phone_number": f"+4420794600{len(slug)}", "phone_number_verified": True},
        "address": {
            "address": {
                "formatted": f"12 St James's Square\n{slug}\nLondon SW1Y 4JH",
                "street_address": "12 St James's Square",
                "locality": "London",
                "region": slug,
                "postal_code": "SW1Y 4JH",
                "country": "UK",
            }
        },
    }


def make_subject(product, slug):
    """Make the person at a tenant."""
    every = {name: value for claims in claims_of(slug).values() for name, value in claims.items()}
    elsewhere = {"preferred_username", "updated_at", "email", "email_verified"}
    profile = {name: value for name, value in every.items() if name not in elsewhere}

    async def make(db):
        return await accounts.create(
            db,
            username=USERNAME,
            email=every["email"],
            email_verified=every["email_verified"],
            password_hash=hashed(PASSWORD),
            profile=profile,
        )

    return Somebody(product.in_transaction(slug, make), USERNAME, every["email"], PASSWORD)
