"""insula tenant domain: a tenant's login domains and their proofs."""

from typing import Annotated

import typer

from insula.kernel.errors import Invalid
from insula.platform.cli.output import REFUSED, Json, run, show, show_rows
from insula.platform.context import opened
from insula.tenants.domains import checks
from insula.tenants.domains import service as domains
from insula.tenants.domains.claims import Wish
from insula.tenants.domains.models import (
    METHODS,
    Domain,
    Method,
    file_path,
    meta_tag,
    proof_text,
    record_name,
)

app = typer.Typer(
    help="List, add, prove and remove a tenant's login domains.", no_args_is_help=True
)

Slug = Annotated[str, typer.Argument(help="The tenant's slug.")]
Host = Annotated[str, typer.Argument(help="The domain, such as login.acme.example.")]
Vouched = Annotated[
    str | None,
    typer.Option(
        "--proven-by-operator",
        metavar="REASON",
        help="Count the domain as proven on your word; why, kept in the record.",
    ),
]


def _told(domain: Domain) -> dict[str, object]:
    return {
        "host": domain.host,
        "state": domain.state,
        "primary": domain.is_primary,
        "method": domain.method,
        "proven_by": domain.proven_by,
        "proven_at": domain.proven_at,
        "last_checked": domain.checked_at,
        "found": domain.found,
        "publish": instruction(domain),
    }


def instruction(domain: Domain) -> str:
    """What its owner publishes to prove the domain."""
    text = proof_text(domain.token)
    if domain.method == "dns":
        return f"TXT record {record_name(domain.host)} = {text}"
    if domain.method == "file":
        return f"file https://{domain.host}{file_path(domain.token)} holding {text}"
    return f"in the head of https://{domain.host}/: {meta_tag(domain.token)}"


def _sentence(slug: str, domain: Domain) -> str:
    if domain.is_served:
        doubt = f" Its proof fails: {domain.found}" if domain.state == "failing" else ""
        return f"{slug} answers on {domain.host}.{doubt}"
    found = f"\nThe last check: {domain.found}" if domain.found else ""
    return f"{domain.host} is {domain.state}. To prove it, publish:\n{instruction(domain)}{found}"


@app.command("list")
def list_domains(slug: Slug, *, json: Json = False) -> None:
    """A tenant's login domains, and how their proofs stand."""

    async def work() -> None:
        async with opened() as here:
            found = await domains.listed(here.platform, slug)
        columns = ("host", "state", "primary", "method", "last_checked", "found")
        show_rows([_told(each) for each in found], columns, json=json)

    run(work, json=json)


@app.command()
def add(  # noqa: PLR0913  (options of a command)
    slug: Slug,
    domain: Host,
    method: Annotated[str, typer.Option(help="How it will be proven: dns, meta or file.")] = "dns",
    primary: Annotated[bool, typer.Option(help="Make it the issuer's host once proven.")] = False,  # noqa: FBT002  (typer's way)
    proven_by_operator: Vouched = None,
    *,
    json: Json = False,
) -> None:
    """Begin to prove a domain for a tenant; says what its owner has to publish."""

    async def work() -> None:
        wish = Wish(domain, _method(method), primary=primary, vouched=proven_by_operator)
        async with opened() as here:
            base = here.settings.naming().base
            found = await domains.add(here.platform, slug, wish, base=base)
        show({"slug": slug, **_told(found)}, json=json, text=_sentence(slug, found))

    run(work, json=json)


def _method(text: str) -> Method:
    for method in METHODS:
        if method == text:
            return method
    raise Invalid("one of dns, meta and file", field="--method", example="--method dns")


@app.command()
def verify(
    slug: Slug, domain: Host, proven_by_operator: Vouched = None, *, json: Json = False
) -> None:
    """
    Check now whether a domain is proven; or count it as proven on your word.

    Ends with 1 where it is not, so that a script can wait for it.
    """

    async def work() -> None:
        async with opened() as here:
            if proven_by_operator is not None:
                found = await domains.vouch(here.platform, slug, domain, proven_by_operator)
            else:
                found = await checks.verify(here.platform, here.prover, slug, domain)
        show({"slug": slug, **_told(found)}, json=json, text=_sentence(slug, found))
        if not found.is_served:
            raise typer.Exit(REFUSED)

    run(work, json=json)


@app.command()
def primary(slug: Slug, domain: Host, *, json: Json = False) -> None:
    """Make a proven domain the host of the issuer; applications must be told before."""

    async def work() -> None:
        async with opened() as here:
            found = await domains.make_primary(here.platform, slug, domain)
            issuer = here.settings.naming().origin(found.host)
        show(
            {"slug": slug, **_told(found), "issuer": issuer},
            json=json,
            text=f"The issuer of {slug} is {issuer}",
        )

    run(work, json=json)


@app.command()
def remove(slug: Slug, domain: Host, *, json: Json = False) -> None:
    """Take a domain away; no other tenant can have it for thirty days."""

    async def work() -> None:
        async with opened() as here:
            await domains.remove(here.platform, slug, domain)
        show(
            {"slug": slug, "removed": domain},
            json=json,
            text=f"{slug} no longer answers on {domain}.",
        )

    run(work, json=json)


@app.command("end-rest")
def end_rest(
    domain: Host,
    reason: Annotated[str, typer.Option(help="Why; kept in the record.")],
    *,
    json: Json = False,
) -> None:
    """Let a domain that was removed by mistake be claimed by any tenant again, at once."""

    async def work() -> None:
        async with opened() as here:
            ended = await domains.end_rest(here.platform, domain, reason)
        text = f"{domain} can be claimed again." if ended else f"{domain} did not rest."
        show({"host": domain, "ended": ended}, json=json, text=text)

    run(work, json=json)
