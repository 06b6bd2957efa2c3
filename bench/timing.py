"""Whether time tells who is registered: the same refusal for known, unknown and disabled people."""

import random
import time

from bench.figure import Figure
from insula.accounts import service as accounts
from insula.accounts.hashing import Passwords
from insula.accounts.settings import Hashing
from insula.audit.models import Actor
from insula.kernel.ids import Kind, new_secret
from insula.platform.wiring import Wiring
from insula.sign_in import service
from insula.sign_in.interactions import service as interactions
from insula.sign_in.models import Prompt
from insula.sign_in.proof import InvalidCredentials
from insula.sign_in.service import Here, Policies
from insula.sign_in.settings import BruteForce
from insula.tenancy.db import Tenant

_SAMPLES = 60
_WRONG = "not the password"
#: Nobody is slowed down by counted attempts here: what is measured is the check itself.
_PATIENT = BruteForce(per_identifier_ip=10**6, per_ip=10**6, per_account=10**6)


async def figures(wiring: Wiring, slug: str) -> list[Figure]:
    """Medians of a refused sign-in, each against that of a known person's wrong password."""
    tenant = await wiring.directory.find(f"slug:{slug}")
    assert tenant is not None  # noqa: S101  (seeded)
    passwords = Passwords(Hashing())
    async with tenant.transaction() as db:
        disabled = await accounts.create(
            db, username="gone", password_hash=await passwords.hash(tenant.id, "x" * 20)
        )
        await accounts.disable(db, disabled)
    names = ["ada", "nobody", "gone"]
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(_SAMPLES):
        random.shuffle(names)
        for name in names:
            times[name].append(await _refused(tenant, passwords, name))
    passwords.close()
    medians = {name: sorted(found)[_SAMPLES // 2] for name, found in times.items()}
    return [
        Figure("refused sign-in, known person", medians["ada"] * 1000, "ms"),
        Figure("unknown against known", medians["nobody"] / medians["ada"], "x", "0.95 to 1.05"),
        Figure("disabled against known", medians["gone"] / medians["ada"], "x", "0.95 to 1.05"),
    ]


async def _refused(tenant: Tenant, passwords: Passwords, name: str) -> float:
    here = Here(new_secret(Kind.BROWSER), (), Actor("user", None, "127.0.0.1"))
    policies = Policies(brute_force=_PATIENT)
    txn = await interactions.begin(
        tenant, here.browser, "sign_in", Prompt(need="login"), policies.interaction
    )
    interaction = await interactions.load(tenant, here.browser, txn)
    began = time.perf_counter()
    try:
        await service.prove(
            tenant, here, interaction, passwords, policies, name=name, password=_WRONG
        )
    except InvalidCredentials:
        return time.perf_counter() - began
    raise AssertionError("a wrong password was right")
