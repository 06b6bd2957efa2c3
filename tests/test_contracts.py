"""
The import contracts hold, and each would notice a trespass.

A contract that never refuses proves nothing, so every one of them is shown a copy of the package
with one forbidden import planted in it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder):
    return subprocess.run(  # noqa: S603  (our own linter, on our own files)
        [LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_packages_keep_their_contracts():
    verdict = lint(ROOT)

    assert verdict.returncode == 0, verdict.stdout


#: A file, an import that it may not have, the contract that refuses it, and what that says.
TRESPASSES = [
    (
        "insula/kernel/clock.py",
        "import insula.ui.assets",
        "Dependencies point down the page",
        "insula.kernel.clock -> insula.ui.assets",
    ),
    (
        "insula/clients/models.py",
        "import insula.keys.models",
        "Dependencies point down the page",
        "insula.clients.models -> insula.keys.models",
    ),
    (
        "insula/tenancy/models.py",
        "import insula.oidc.models",
        "Dependencies point down the page",
        "insula.tenancy.models -> insula.oidc.models",
    ),
    (
        "insula/stray/__init__.py",
        "",
        "Dependencies point down the page",
        "- insula.stray",
    ),
    (
        "insula/oidc/issuer.py",
        "import insula.oidc.provider",
        "No cycles, at any depth",
        ".issuer -> .provider",
    ),
    (
        "insula/sign_in/service.py",
        "import insula.oidc.models",
        "Steps meet only at the front door",
        "insula.sign_in.service -> insula.oidc.models",
    ),
    (
        "insula/accounts/store.py",
        "import insula.accounts.service",
        "Inside a package, pages call rules and rules call storage",
        "insula.accounts.store -> insula.accounts.service",
    ),
    (
        "insula/ops_gateway/routes.py",
        "import insula.accounts.store",
        "A store belongs to one package",
        "insula.ops_gateway.routes imports insula.accounts.store",
    ),
    (
        "insula/sign_in/service.py",
        "import insula.accounts.store",
        "A store belongs to one package",
        "insula.sign_in.service imports insula.accounts.store",
    ),
    (
        "insula/accounts/service.py",
        "import sqlalchemy",
        "Only stores speak SQL",
        "insula.accounts.service -> sqlalchemy",
    ),
    (
        "insula/platform/wiring.py",
        "import psycopg",
        "Only stores speak SQL",
        "insula.platform.wiring -> psycopg",
    ),
    (
        "insula/accounts/service.py",
        "import starlette.requests",
        "Only the edges speak HTTP",
        "insula.accounts.service -> starlette",
    ),
]


@pytest.fixture(scope="module")
def trespasses(tmp_path_factory):
    """What the linter says of a copy with all of them, by contract."""
    folder = tmp_path_factory.mktemp("trespassing")
    for source in ROOT.joinpath("insula").rglob("*.py"):
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for name in ("pyproject.toml", "contracts.py"):
        shutil.copy(ROOT / name, folder)
    for module, line, _, _ in TRESPASSES:
        path = folder / module
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write(f"\n{line}\n")
    verdict = lint(folder)
    assert verdict.returncode != 0
    return verdict.stdout


@pytest.mark.parametrize(("module", "line", "contract", "said"), TRESPASSES)
def test_a_trespass_is_refused(trespasses, module, line, contract, said):  # noqa: ARG001  (they name the case)
    assert f"{contract} BROKEN" in trespasses
    _, section = trespasses.split(f"\n{contract}\n---", 1)
    others = {each for _, _, each, _ in TRESPASSES} - {contract}
    for other in others:
        section = section.split(f"\n{other}\n---", 1)[0]
    assert said in " ".join(section.split())
