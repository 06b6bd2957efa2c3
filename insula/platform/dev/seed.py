"""The demo tenants: two companies with an administrator, a user and four applications each."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from insula.accounts import service as accounts
from insula.accounts.models import Role
from insula.clients import service as clients
from insula.clients.errors import ClientExists
from insula.clients.models import Metadata
from insula.platform.context import Context
from insula.platform.dev.secrets import Remembered
from insula.tenancy.db import Tenant
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants
from insula.tenants.errors import SlugTaken

DEMO = (("acme", "Acme"), ("globex", "Globex"))
_MACHINE_SCOPES = ("reports:read", "reports:write")
PLATFORM_SCOPES = (
    "insula:tenants:read",
    "insula:tenants:write",
    "insula:tenants:delete",
    "insula:cross-tenant:read",
    "insula:cross-tenant:write",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo; the password is easy to type and only ever on this machine."""

    username: str
    name: str
    given: str
    family: str
    password: str
    roles: tuple[Role, ...]
    profile: Mapping[str, Any] = field(default_factory=dict)


OPERATOR = Person(
    "operator", "Platform Operator", "Platform", "Operator",
    "operator-runs-the-platform", ("superadmin", "platform_admin"),
)  # fmt: skip


def people_of(slug: str) -> tuple[Person, Person]:
    """The administrator and the user of a demo tenant."""
    first = {
        "acme": ("Mira", "Okafor", "Jonas", "Weber"),
        "globex": ("Lena", "Sato", "Omar", "Haddad"),
    }
    a, b, c, d = first.get(slug, ("Ada", "Admin", "Uma", "User"))
    return (_person_of(slug, a, b, "admin"), _person_of(slug, c, d, "user"))


def _person_of(slug: str, given: str, family: str, role: Role) -> Person:
    """Somebody of whom every standard claim is known."""
    word = given.lower()
    page = f"https://{slug}.example/people/{word}"
    profile = {
        "middle_name": "Robin",
        "nickname": given[:2],
        "profile": page,
        "picture": f"{page}.png",
        "website": f"https://{word}.example",
        "gender": "unspecified",
        "birthdate": "1990-04-23",
        "locale": "en-GB",
        "zoneinfo": "Europe/Berlin",
        "phone_number": "+493012345678",
        "phone_number_verified": True,
        "address": {
            "formatted": "Inselstra\u00dfe 1\n10179 Berlin\nGermany",
            "street_address": "Inselstra\u00dfe 1",
            "locality": "Berlin",
            "region": "Berlin",
            "postal_code": "10179",
            "country": "Germany",
        },
    }
    password = f"{word}-opens-the-{slug}-door"
    return Person(word, f"{given} {family}", given, family, password, (role,), profile)


def applications(slug: str, demo_url: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """The applications of a demo tenant: name and metadata by client_id."""
    callback = f"{demo_url}/callback/{slug}"
    web = {
        "redirect_uris": (callback, f"{demo_url}/callback", "http://127.0.0.1:9000/callback"),
        "post_logout_redirect_uris": (f"{demo_url}/signed-out", "http://127.0.0.1:9000/signed-out"),
    }
    return {
        "web": ("Ledger", {**web, "id_token_signed_response_alg": "RS256"}),
        "web_es256": ("Ledger ES256", {**web, "id_token_signed_response_alg": "ES256"}),
        "spa": (
            "Board",
            {
                **web,
                "token_endpoint_auth_method": "none",
                "allowed_origins": (demo_url, "http://127.0.0.1:9000"),
            },
        ),
        "machine": (
            "Nightly reports",
            {
                "grant_types": ("client_credentials",),
                "scopes": _MACHINE_SCOPES,
                "introspects_others": True,
            },
        ),
    }


async def seed(here: Context, remembered: Remembered, demo_url: str) -> None:
    """Make what is missing; what is there stays as it is. The secrets go into *remembered*."""
    await tenants.ensure_special(here.platform, here.envelope, here.rotation)
    platforms = await here.tenant(PLATFORMS)
    await _person(here, platforms, remembered, OPERATOR)
    await _application(
        platforms, remembered, "api", "Platform API",
        {
            "grant_types": ("client_credentials",),
            "scopes": PLATFORM_SCOPES,
            "allow_dangerous_api": True,
        },
    )  # fmt: skip
    for slug, name in DEMO:
        with contextlib.suppress(SlugTaken):
            await tenants.create(
                here.platform, here.envelope, here.rotation, slug=slug, display_name=name
            )
        tenant = await here.tenant(slug)
        for person in people_of(slug):
            await _person(here, tenant, remembered, person)
        for client_id, (label, values) in applications(slug, demo_url).items():
            await _application(tenant, remembered, client_id, label, values)


async def _person(here: Context, tenant: Tenant, remembered: Remembered, person: Person) -> None:
    email = email_of(tenant.slug, person)
    async with tenant.transaction() as db:
        found = await accounts.find(db, person.username)
    if found.user is not None:
        return
    hashed = await here.passwords.hash(tenant.id, person.password)
    async with tenant.transaction() as db:
        await accounts.create(
            db,
            username=person.username,
            email=email,
            email_verified=True,
            display_name=person.name,
            given_name=person.given,
            family_name=person.family,
            password_hash=hashed,
            profile=person.profile,
            roles=person.roles,
        )
    remembered.people[f"{tenant.slug}/{email}"] = person.password


def email_of(slug: str, person: Person) -> str:
    return f"{person.username}@{'platform' if slug == PLATFORMS else slug}.example"


async def _application(
    tenant: Tenant, remembered: Remembered, client_id: str, name: str, values: dict[str, Any]
) -> None:
    metadata = clients.parse_metadata(values, development=True)
    place = f"{tenant.slug}/{client_id}"
    try:
        made = await clients.register(tenant, name, metadata, client_id=client_id)
    except ClientExists:
        if place not in remembered.clients and _is_confidential(metadata):
            remembered.clients[place] = await clients.rotate_secret(tenant, client_id)
        return
    if made.secret is not None:
        remembered.clients[place] = made.secret


def _is_confidential(metadata: Metadata) -> bool:
    return metadata.token_endpoint_auth_method != "none"
