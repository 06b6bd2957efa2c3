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


@pytest.fixture
def copy(tmp_path):
    """Give a copy of everything that the contracts look at."""
    for source in ROOT.joinpath("insula").rglob("*.py"):
        target = tmp_path / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for name in ("pyproject.toml", "contracts.py"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_the_packages_keep_their_contracts():
    verdict = lint(ROOT)

    assert verdict.returncode == 0, verdict.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "insula/kernel/clock.py",
            "import insula.ui.assets",
            "Dependencies point down the page",
        ),
        (
            "insula/clients/models.py",
            "import insula.keys.models",
            "Dependencies point down the page",
        ),
        (
            "insula/tenancy/models.py",
            "import insula.oidc.models",
            "Dependencies point down the page",
        ),
        (
            "insula/stray/__init__.py",
            "",
            "Dependencies point down the page",
        ),
        (
            "insula/oidc/issuer.py",
            "import insula.oidc.provider",
            "No cycles, at any depth",
        ),
        (
            "insula/sign_in/service.py",
            "import insula.oidc.models",
            "Steps meet only at the front door",
        ),
        (
            "insula/accounts/store.py",
            "import insula.accounts.service",
            "Inside a package, pages call rules and rules call storage",
        ),
        (
            "insula/ops_gateway/routes.py",
            "import insula.accounts.store",
            "A store belongs to one package",
        ),
        (
            "insula/sign_in/service.py",
            "import insula.accounts.store",
            "A store belongs to one package",
        ),
        (
            "insula/accounts/service.py",
            "import sqlalchemy",
            "Only stores speak SQL",
        ),
        (
            "insula/platform/wiring.py",
            "import psycopg",
            "Only stores speak SQL",
        ),
        (
            "insula/accounts/service.py",
            "import starlette.requests",
            "Only the edges speak HTTP",
        ),
    ],
)
def test_a_trespass_is_refused(copy, module, line, contract):
    path = copy / module
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(f"\n{line}\n")

    verdict = lint(copy)

    assert verdict.returncode != 0
    assert f"{contract} BROKEN" in verdict.stdout
