"""insula keys: what a tenant signs with."""

import json as jsonlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from insula.config_overrides import service as config_overrides
from insula.kernel.errors import Invalid
from insula.keys import adoption, emergency, service
from insula.keys.errors import AlreadyPublished
from insula.keys.models import ALGORITHMS
from insula.keys.settings import KeyRotation
from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.context import opened

app = typer.Typer(help="List, publish, rotate and retire signing keys.", no_args_is_help=True)

InTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="The tenant's slug.")]
_PRIVATE = 0o600
_DASH = "Write -- before an id that begins with a hyphen: -- -abc."


def _write_private(path: Path, text: str) -> None:
    """A file that only its owner can read, never over another one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _write_backup(path: Path, rows: object, *, option: str) -> None:
    try:
        _write_private(path, jsonlib.dumps(rows, indent=1))
    except OSError as error:
        raise Invalid(f"cannot write: {error.strerror}", field=option) from error


@app.command("list")
def list_keys(tenant: InTenant = None, *, json: Json = False) -> None:
    """All keys and their phases, newest first."""

    async def work() -> None:
        async with opened() as here:
            keys = await service.list_keys(await here.tenant(tenant))
        show_rows(
            [
                {
                    "kid": k.kid,
                    "alg": k.alg,
                    "state": k.state,
                    "published_at": k.published_at,
                    "activated_at": k.activated_at,
                    "due_at": k.due_at,
                }
                for k in keys
            ],
            ("kid", "alg", "state", "published_at", "activated_at", "due_at"),
            json=json,
        )

    run(work, json=json)


@app.command()
def generate(
    alg: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(ALGORITHMS)}.")] = None,
    tenant: InTenant = None,
    backup_to: Annotated[Path | None, typer.Option(help="Where the backup goes first.")] = None,
    *,
    json: Json = False,
) -> None:
    """
    Publish keys for algorithms, also such as the tenant has none of yet.

    Refused where a next key exists already; otherwise an owner-only backup of the present rows
    is written first.
    """

    async def work() -> None:
        wanted = alg or ["RS256", "ES256"]
        unknown = sorted(set(wanted) - set(ALGORITHMS))
        if unknown:
            raise Invalid(f"one of {', '.join(ALGORITHMS)}", field="--alg")
        async with opened() as here:
            owner = await here.tenant(tenant)
            present = {k.alg for k in await service.list_keys(owner) if k.state == "next"}
            if present & set(wanted):
                raise AlreadyPublished(
                    f"A next key exists for {', '.join(sorted(present & set(wanted)))}; "
                    "promote or retire it first."
                )
            target = backup_to or Path(f"insula-keys-{owner.slug}-{os.getpid()}.json")
            rows = await service.backup(owner)
            _write_backup(target, rows, option="--backup-to")
            kids = await service.publish(owner, here.envelope, wanted)
        show(
            {"published": kids, "backup": str(target)},
            json=json,
            text="\n".join(
                [*(f"published {kid}" for kid in kids), f"backup of the rest: {target}"]
            ),
        )

    run(work, json=json)


@app.command()
def rotate(tenant: InTenant = None, *, json: Json = False) -> None:
    """Publish the next key of every algorithm; each signs after its lead."""

    async def work() -> None:
        async with opened() as here:
            owner = await here.tenant(tenant)
            kids = await service.publish(owner, here.envelope)
            lead = config_overrides.of(owner, KeyRotation).lead_seconds
        show(
            {"published": kids, "lead_seconds": lead},
            json=json,
            text="\n".join(
                [*(f"published {kid}" for kid in kids), f"They sign in {lead // 3600} hours."]
            ),
        )

    run(work, json=json)


@app.command()
def promote(
    kid: Annotated[str, typer.Argument(help=f"The key's id. {_DASH}")],
    tenant: InTenant = None,
    override: Annotated[
        str | None,
        typer.Option(help="Why it must sign although important applications are behind."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Let a published key sign now, once verifiers can have seen it."""

    async def work() -> None:
        async with opened() as here:
            if override is not None and not override.strip():
                raise Invalid("say why; it is kept in the record", field="--override")
            await service.promote(await here.tenant(tenant), kid, override=override)
        show({"kid": kid, "state": "active"}, json=json, text=f"{kid} signs.")

    run(work, json=json)


@app.command("adoption")
def show_adoption(
    tenant: InTenant = None,
    after: Annotated[str, typer.Option(help="Continue after this client_id.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    *,
    json: Json = False,
) -> None:
    """Which key each application was last seen with, and who is behind a published one."""

    async def work() -> None:
        async with opened() as here:
            owner = await here.tenant(tenant)
            async with owner.transaction() as db:
                found = await adoption.page(db, after=after, limit=limit)
        show_rows(
            [
                {
                    "client_id": each.client_id,
                    "important": each.important,
                    "behind": "unknown" if each.behind is None else each.behind,
                    "kid": each.evidence[0].kid if each.evidence else None,
                    "how": each.evidence[0].how if each.evidence else None,
                    "last_seen": each.evidence[0].last_seen if each.evidence else None,
                }
                for each in found
            ],
            ("client_id", "important", "behind", "kid", "how", "last_seen"),
            json=json,
        )

    run(work, json=json)


@app.command()
def retire(
    kid: Annotated[
        str | None, typer.Argument(help=f"One key; without it, all past their overlap. {_DASH}")
    ] = None,
    tenant: InTenant = None,
    *,
    json: Json = False,
) -> None:
    """Take keys out of the JWKS that no living token needs."""

    async def work() -> None:
        async with opened() as here:
            owner = await here.tenant(tenant)
            if kid is None:
                gone = await service.retire_expired(owner)
            else:
                await service.retire(owner, kid)
                gone = [kid]
        show(
            {"retired": gone},
            json=json,
            text="\n".join(f"retired {k}" for k in gone) or "Nothing is past its overlap.",
        )

    run(work, json=json)


@app.command()
def revoke(
    kid: Annotated[str, typer.Argument(help=f"The key's id. {_DASH}")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the record.")],
    tenant: InTenant = None,
    *,
    json: Json = False,
) -> None:
    """Take a key out at once that somebody else may have; what it signed is worth nothing."""

    async def work() -> None:
        async with opened() as here:
            owner = await here.tenant(tenant)
            done = await emergency.revoke(owner, here.envelope, kid, reason=reason)
        told = {"revoked": done.kid, "alg": done.alg, "signs_now": done.successor}
        text = f"revoked {done.kid}"
        show(told, json=json, text=f"{text}\n{done.successor} signs" if done.successor else text)

    run(work, json=json)


@app.command()
def backup(
    out: Annotated[Path, typer.Option("--out", help="A new file, readable by its owner only.")],
    tenant: InTenant = None,
    *,
    json: Json = False,
) -> None:
    """Write the sealed rows to a file; useless without INSULA_SECRETS_KEY."""

    async def work() -> None:
        async with opened() as here:
            rows = await service.backup(await here.tenant(tenant))
        _write_backup(out, rows, option="--out")
        show({"keys": len(rows), "file": str(out)}, json=json, text=f"{len(rows)} keys in {out}")

    run(work, json=json)


@app.command()
def download(tenant: InTenant = None, *, json: Json = False) -> None:  # noqa: ARG001  (a JWKS is JSON either way)
    """Print the public JWKS; private keys never leave."""

    async def work() -> None:
        async with opened() as here:
            jwks = await service.public_jwks(await here.tenant(tenant))
        sys.stdout.write(jsonlib.dumps(jwks, indent=1) + "\n")

    run(work)
