"""The questions about a deployment, in the order in which their answers help."""

import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from insula.ops_gateway import arrival
from insula.platform.deployment import wire
from insula.platform.environment import Settings
from insula.platform.findings import Finding, State
from insula.tenancy.models import Naming

_DAY: Final = 86_400
_FEW_DAYS, _SOME_DAYS = 7, 21
#: An address of documentation (RFC 5737), which no caller has.
_INVENTED: Final = "192.0.2.66"
_HTTPS, _HTTP = 443, 80
_REPLACE: Final = "Let the first proxy replace X-Forwarded-For, and the others append to it."


@dataclass(frozen=True, slots=True)
class Names:
    """The hosts of an installation; *random* stands for any tenant's."""

    base: str
    random: str | None
    ops: str
    others: tuple[str, ...]

    @classmethod
    def of(cls, naming: Naming) -> "Names":
        base = naming.base
        if not naming.multi_tenant:
            return cls(base, None, f"ops.{base}", ())
        return cls(
            base=base,
            random=f"t-{secrets.token_hex(8)}.{base}",
            ops=f"ops.{base}",
            others=tuple(f"{label}.{base}" for label in ("_ops", "platform", "_platforms")),
        )

    @property
    def under_tls(self) -> list[str]:
        """Those that a certificate must cover; OpenSSL takes no name with `_` for a wildcard's."""
        all_names = [self.base, self.random, self.ops, *self.others]
        return [name for name in all_names if name and not name.startswith("_")]


def findings(
    settings: Settings,
    *,
    connect: tuple[str, int] | None = None,
    ca_file: str | None = None,
    resolve: Callable[[str], frozenset[str]] = wire.resolve,
) -> Iterator[Finding]:
    """
    Ask about names, certificates and the proxy.

    *connect* is where to go instead of where the base domain leads, for a proxy that the names do
    not lead to yet.
    """
    naming = settings.naming()
    names = Names.of(naming)
    try:
        tls = ssl.create_default_context(cafile=ca_file) if naming.scheme == "https" else None
    except OSError as error:
        yield Finding("tls", "failed", f"{ca_file}: {error}", "Name a file of certificates in PEM.")
        return
    yield _trusted(settings)
    addresses, found = _names_lead_to_us(names, resolve)
    yield from found
    if connect is None and not addresses:
        yield Finding("proxy", "failed", "not asked, since the base domain leads nowhere")
        return
    port = naming.port or (_HTTPS if tls else _HTTP)
    door = wire.Door(*(connect or (min(addresses), port)), tls)
    yield from _certificates(names, door)
    yield from _proxy(settings, names, door)


def _trusted(settings: Settings) -> Finding:
    if settings.trusted_proxies:
        return Finding("trusted_proxies", "ok", ", ".join(settings.trusted_proxies))
    remedy = "Name your proxies' networks in INSULA_TRUSTED_PROXIES."
    return Finding("trusted_proxies", "failed", "nobody's X-Forwarded-For is read", remedy)


def _names_lead_to_us(
    names: Names, resolve: Callable[[str], frozenset[str]]
) -> tuple[frozenset[str], list[Finding]]:
    wanted, first = _ask_name(names.base, resolve)
    if first is not None:
        return frozenset(), [first]
    found = [Finding("dns", "ok", f"{names.base} leads to {_listed(wanted)}")]
    for name in filter(None, (names.random, names.ops, *names.others)):
        addresses, problem = _ask_name(name, resolve)
        if problem is None and addresses != wanted:
            problem = Finding(
                "dns",
                "warning",
                f"{name} leads to {_listed(addresses)}, {names.base} to {_listed(wanted)}",
                "If these are not all your proxies, remove the record that hides the wildcard.",
            )
        found.append(problem or Finding("dns", "ok", f"{name} leads there too"))
    return wanted, found


def _ask_name(
    name: str, resolve: Callable[[str], frozenset[str]]
) -> tuple[frozenset[str], Finding | None]:
    try:
        addresses = resolve(name)
    except TimeoutError as error:
        remedy = "Is the resolver of this machine reachable?"
        return frozenset(), Finding("dns", "failed", f"{name}: {error}", remedy)
    if addresses:
        return addresses, None
    remedy = "Add A and AAAA records for the base domain and for `*` under it."
    return addresses, Finding("dns", "failed", f"{name} has no address", remedy)


def _listed(addresses: frozenset[str]) -> str:
    return ", ".join(sorted(addresses))


def _certificates(names: Names, door: wire.Door) -> Iterator[Finding]:
    if door.tls is None:
        yield Finding("tls", "warning", "development speaks plain http", "Not for production.")
        return
    ends: list[float] = []
    for name in names.under_tls:
        try:
            ends.append(wire.expiry(door, name))
        except ssl.SSLCertVerificationError as error:
            remedy = f"One certificate for {names.base} and *.{names.base}, by DNS-01."
            yield Finding("tls", "failed", f"{name}: {error.verify_message}", remedy)
        except OSError as error:
            remedy = "Does the proxy listen there, and is the way open?"
            where = f"{door.address} port {door.port}"
            yield Finding("tls", "failed", f"{name} at {where}: {error}", remedy)
            return
    if ends:
        yield _about_end(min(ends), len(ends) == len(names.under_tls))


def _about_end(end: float, all_covered: bool) -> Finding:  # noqa: FBT001  (one caller)
    days = int((end - time.time()) // _DAY)
    covered = "every host has a valid certificate" if all_covered else "where it is valid"
    found = f"{covered}, for {days} more days"
    if days < _SOME_DAYS:
        state: State = "failed" if days < _FEW_DAYS else "warning"
        return Finding("tls", state, found, "Renew it, and find out why nothing renewed it.")
    return Finding("tls", "ok", found)


def _proxy(settings: Settings, names: Names, door: wire.Door) -> Iterator[Finding]:
    try:
        alive = wire.get(door, names.ops, "/health")
        ready = wire.get(door, names.ops, "/ready")
    except OSError as error:
        remedy = "Let the proxy pass https on to `insula serve`, for all hosts in one block."
        yield Finding("proxy", "failed", f"https://{names.ops}/health: {error}", remedy)
        return
    if (alive.status, alive.json()) != (200, {"status": "ok"}):
        remedy = "Pass all hosts on, with Host as it came."
        yield Finding("proxy", "failed", f"{names.ops}/health answers {alive.status}", remedy)
        return
    yield Finding("proxy", "ok", f"{names.ops}/health answers through it")
    yield _about_ready(ready)
    yield from _forwarded(settings, names, door)


def _about_ready(ready: wire.Reply) -> Finding:
    said = ready.json()
    if not isinstance(said, dict) or "checks" not in said:
        # any host tells that it lives, but the ops host alone that it is ready
        remedy = "Pass Host as it came: this was answered for another host."
        return Finding("ready", "failed", f"/ready answers {ready.status}", remedy)
    if ready.status == 200:  # noqa: PLR2004  (clearer than a name)
        return Finding("ready", "ok", "the server is ready")
    wrong = ", ".join(f"{name}: {state}" for name, state in said["checks"].items())
    return Finding("ready", "failed", wrong, "See its log, and `insula check` beside it.")


def _forwarded(settings: Settings, names: Names, door: wire.Door) -> Iterator[Finding]:
    tenant_header = settings.multi_tenancy_tenant_header
    sent = {
        "X-Forwarded-For": _INVENTED,
        tenant_header: "invented",
        arrival.HEADER: arrival.prove(settings.hmac_key_bytes(), time.time()),
    }
    try:
        answer = wire.get(door, names.ops, arrival.PATH, sent)
    except OSError as error:
        yield Finding("forwarded", "failed", str(error), "Try again.")
        return
    said = answer.json()
    if answer.status == 400:  # noqa: PLR2004  (clearer than a name)
        wrong = "a request with an X-Forwarded-For of its own is refused: it arrives twice"
        yield Finding("forwarded", "failed", wrong, _REPLACE)
        return
    if answer.status != 200 or not isinstance(said, dict):  # noqa: PLR2004  (clearer than a name)
        yield Finding(
            "forwarded", "warning", f"the server does not tell ({answer.status})",
            "Run this with the server's own INSULA_HMAC_KEY and a right clock.",
        )  # fmt: skip
        return
    yield _about_caller(settings, said)
    if settings.proxy_secret_bytes() is not None:
        yield _about_secret(said)
    yield _about_tenant_header(tenant_header, said)


def _about_caller(settings: Settings, said: dict[str, Any]) -> Finding:
    peer, caller = said["peer"], said["caller"]
    if not said["proxy_trusted"]:
        wrong = f"the proxy at {peer} is not believed: all callers share its address"
        remedy = "Let the proxy send x-insula-proxy-secret."
        if said["proxy_secret"]:
            configured = ", ".join(settings.trusted_proxies) or "nobody"
            remedy = f"Add {peer} to INSULA_TRUSTED_PROXIES, which here names {configured}."
        return Finding("forwarded", "failed", wrong, remedy)
    if caller == _INVENTED and "," in said["forwarded_for"]:
        found = f"{said['forwarded_for']} arrives, of which all but the first are trusted proxies"
        return Finding("forwarded", "warning", found, "Ask again from a machine that is none.")
    if caller == _INVENTED:
        wrong = "callers choose their own address: what they send as X-Forwarded-For is believed"
        return Finding("forwarded", "failed", wrong, _REPLACE)
    if not said["forwarded_for"]:
        wrong = f"the proxy at {peer} sends no X-Forwarded-For: all callers share its address"
        return Finding("forwarded", "failed", wrong, "Let it send the caller's address there.")
    return Finding("forwarded", "ok", f"this machine arrives as {caller}, through {peer}")


def _about_secret(said: dict[str, Any]) -> Finding:
    if said["proxy_secret"]:
        return Finding("proxy_secret", "ok", "the proxy proves itself")
    remedy = "Let the proxy send the value of INSULA_PROXY_SECRET as x-insula-proxy-secret."
    return Finding("proxy_secret", "failed", "the proxy does not prove itself", remedy)


def _about_tenant_header(name: str, said: dict[str, Any]) -> Finding:
    if name not in said["headers"]:
        return Finding("tenant_header", "ok", f"{name} of strangers does not arrive")
    if said["tenant_header_counts"]:
        wrong = f"callers choose their tenant: {name} is passed on, and believed of {said['peer']}"
        remedy = f"Let the proxy remove {name}, or take it from INSULA_MULTI_TENANCY_HEADER_"
        return Finding("tenant_header", "failed", wrong, f"{remedy}TRUSTED_CIDRS.")
    remedy = f"Let the proxy remove {name}."
    return Finding("tenant_header", "warning", f"{name} is passed on, though ignored", remedy)
