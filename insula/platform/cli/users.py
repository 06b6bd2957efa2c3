"""insula user: the people of a tenant."""

import secrets
import sys
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from insula.accounts import service
from insula.accounts.activation import service as activation
from insula.accounts.administration.models import check_role
from insula.accounts.errors import InvalidUser, NoSuchUser
from insula.accounts.models import LONGEST_LOCK, Role
from insula.accounts.settings import PasswordPolicy
from insula.audit.models import SYSTEM
from insula.platform.cli.links import in_words, linked
from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.cli.pairs import read_pairs
from insula.platform.context import Context, opened
from insula.tenancy.db import Connection, Tenant

app = typer.Typer(help="Make people, set passwords and roles, end access.", no_args_is_help=True)

InTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="The tenant's slug.")]
Who = Annotated[str, typer.Argument(help="User name or e-mail address.")]
_LONGEST_LOCK = LONGEST_LOCK // timedelta(minutes=1)
_ROLES: dict[str, Role] = {
    "user": "user",
    "auditor": "auditor",
    "admin": "admin",
    "superadmin": "superadmin",
    "platform_admin": "platform_admin",
    "platform_viewer": "platform_viewer",
}


def _role_in(owner: Tenant, text: str) -> Role:
    """A role to be given. Raises `InvalidUser`, also for one that there is not in that tenant."""
    role = _role(text)
    check_role(owner.slug, role)
    return role


def _role(text: str) -> Role:
    if text not in _ROLES:
        raise InvalidUser(f"one of {', '.join(_ROLES)}", field="--role")
    return _ROLES[text]


async def _id_of(db: Connection, who: str) -> UUID:
    found = await service.find(db, who)
    if found.user is None:
        raise NoSuchUser(f"No user “{who}” in this tenant.")
    return found.user.id


def _read_password(given: bool) -> str:  # noqa: FBT001  (a flag of the command)
    """A password from standard input, or a made one: never from the command line."""
    return sys.stdin.readline().rstrip("\n") if given else secrets.token_urlsafe(18)


@app.command("list")
def list_users(
    tenant: InTenant = None,
    after: Annotated[str, typer.Option(help="Continue after this user name.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    *,
    json: Json = False,
) -> None:
    """People by user name."""

    async def work() -> None:
        async with opened() as here:
            owner = await here.tenant(tenant)
            async with owner.transaction() as db:
                people = await service.list_users(db, after=after, limit=limit)
        show_rows(
            [
                {
                    "id": p.id,
                    "username": p.username,
                    "email": p.email,
                    "status": p.status,
                    "last_login_at": p.last_login_at,
                }
                for p in people
            ],
            ("username", "email", "status", "last_login_at"),
            json=json,
        )

    run(work, json=json)


@app.command()
def add(  # noqa: PLR0913  (options of a command)
    username: str,
    tenant: InTenant = None,
    email: Annotated[str | None, typer.Option()] = None,
    name: Annotated[str | None, typer.Option(help="What people call them.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="A tenant role; repeatable.")] = None,
    *,
    password_stdin: Annotated[
        bool, typer.Option(help="Read the password from standard input.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a person; unless it is read, a first password is made, shown once, to be replaced."""

    async def work() -> None:
        password = _read_password(password_stdin)
        async with opened() as here:
            owner = await here.tenant(tenant)
            hashed = await service.prepare_password(
                owner, here.passwords, PasswordPolicy(), password, username=username, email=email
            )
            async with owner.transaction() as db:
                user_id = await service.create(
                    db,
                    username=username,
                    email=email,
                    display_name=name,
                    password_hash=hashed,
                    must_change_password=not password_stdin,
                    roles=[_role_in(owner, r) for r in role or ["user"]],
                )
        shown = {"id": user_id, "username": username}
        text = f"Made {username}."
        if not password_stdin:
            shown["password"] = password
            text += f" First password, shown once: {password}"
        show(shown, json=json, text=text)

    run(work, json=json)


@app.command("set")
def change(
    who: Who,
    pairs: Annotated[
        list[str], typer.Argument(help="name=value, one or more; name=null takes it away.")
    ],
    tenant: InTenant = None,
    *,
    json: Json = False,
) -> None:
    """Set what is known of a person: claims such as nickname or address, and attributes."""

    async def work() -> None:
        changes = {name: _as_text(name, value) for name, value in read_pairs(pairs).items()}
        async with opened() as here:
            owner = await here.tenant(tenant)
            async with owner.transaction() as db:
                user_id = await _id_of(db, who)
                await service.set_attributes(db, user_id, changes)
                claims = await service.claims(db, user_id, {})
        show(claims, json=json, text=f"{who} is changed.")

    run(work, json=json)


def _as_text(name: str, value: Any) -> Any:  # noqa: ANN401  (whatever JSON holds)
    """A year alone is a birthdate, and no number."""
    return str(value) if name == "birthdate" and isinstance(value, int) else value


@app.command("set-password")
def set_password(who: Who, tenant: InTenant = None, *, json: Json = False) -> None:
    """Make a new first password, shown once; the person must replace it. Their access ends."""

    async def work() -> None:
        password = secrets.token_urlsafe(18)
        async with opened() as here:
            owner = await here.tenant(tenant)
            hashed = await here.passwords.hash(owner.id, password)
            async with owner.transaction() as db:
                await service.change_password(
                    db, await _id_of(db, who), hashed, actor=SYSTEM, must_change=True
                )
        show({"password": password}, json=json, text=f"New password, shown once: {password}")

    run(work, json=json)


@app.command("activation-link")
def activation_link(who: Who, tenant: InTenant = None, *, json: Json = False) -> None:
    """Make a link by which a person chooses a password; the one before it is over."""

    async def work() -> None:
        async with opened() as here:
            owner = await here.tenant(tenant)
            async with owner.transaction() as db:
                link = await activation.issue(db, owner.id, await _id_of(db, who))
        show(linked(link, owner.issuer), json=json, text=in_words(link, owner.issuer, who))

    run(work, json=json)


def _act(who: str, tenant: str | None, word: str, *, json: bool, minutes: int = 0) -> None:
    async def work() -> None:
        async with opened() as here:
            owner = await here.tenant(tenant)
            await _apply(here, owner, who, word, minutes)
        show({"user": who, "done": word}, json=json, text=f"{who}: {word}.")

    run(work, json=json)


async def _apply(_here: Context, owner: Tenant, who: str, word: str, minutes: int) -> None:
    async with owner.transaction() as db:
        user_id = await _id_of(db, who)
        if word == "disabled":
            await service.disable(db, user_id)
        elif word == "locked":
            await service.lock(db, user_id, timedelta(minutes=minutes) if minutes else None)
        else:
            await service.enable(db, user_id)


@app.command()
def disable(who: Who, tenant: InTenant = None, *, json: Json = False) -> None:
    """Disable a person; sessions and tokens end at once."""
    _act(who, tenant, "disabled", json=json)


@app.command()
def enable(who: Who, tenant: InTenant = None, *, json: Json = False) -> None:
    """Let a person in again, whether disabled, locked or both."""
    _act(who, tenant, "enabled", json=json)


@app.command()
def lock(
    who: Who,
    tenant: InTenant = None,
    minutes: Annotated[int, typer.Option(min=0, max=_LONGEST_LOCK, help="0: until unlocked.")] = 0,
    *,
    json: Json = False,
) -> None:
    """Lock a person; sessions and tokens end at once."""
    _act(who, tenant, "locked", json=json, minutes=minutes)


@app.command("grant-role")
def grant_role(who: Who, role: str, tenant: InTenant = None, *, json: Json = False) -> None:
    """Give a tenant role."""

    async def work() -> None:
        async with opened() as here:
            owner = await here.tenant(tenant)
            async with owner.transaction() as db:
                await service.grant_role(db, await _id_of(db, who), _role_in(owner, role))
        show({"user": who, "role": role}, json=json, text=f"{who} is {role}.")

    run(work, json=json)


@app.command("revoke-role")
def revoke_role(who: Who, role: str, tenant: InTenant = None, *, json: Json = False) -> None:
    """Take a tenant role; the last administrator keeps theirs."""

    async def work() -> None:
        async with opened() as here:
            owner = await here.tenant(tenant)
            async with owner.transaction() as db:
                await service.revoke_role(db, await _id_of(db, who), _role(role))
        show({"user": who, "role": role}, json=json, text=f"{who} is no longer {role}.")

    run(work, json=json)
