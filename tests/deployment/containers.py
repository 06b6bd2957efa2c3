"""The Dockerfile and the chart's pods, and what their containers would run, as plain processes."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from serving import ROOT

from tools.chart.objects import Objects

BASE = "auth.example.com"
PROXY_SECRET = "k8Jw2mVq5tZ1xR7bN4cH9sL6pD3fG0aY"
WORKDIR = "/opt/insula"
_SECRETS = "/run/secrets/insula"


@dataclass(frozen=True)
class Image:
    """What a Dockerfile says, by stages of (instruction, rest) pairs."""

    stages: list[list[tuple[str, str]]]

    @classmethod
    def read(cls, path=ROOT / "Dockerfile"):
        text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
        stages = []
        for line in text.replace("\\\n", " ").splitlines():
            if not line.strip():
                continue
            word, rest = line.split(maxsplit=1)
            if word == "FROM":
                stages.append([])
            if stages:
                stages[-1].append((word, rest))
        return cls(stages)

    def final(self, word):
        return [rest for instruction, rest in self.stages[-1] if instruction == word]

    @property
    def entrypoint(self):
        return json.loads(self.final("ENTRYPOINT")[0])

    @property
    def environment(self):
        """The image's variables, with the checkout and this Python in place of its own."""
        text = "\n".join(self.final("ENV"))
        text = text.replace(f"{WORKDIR}/venv/bin", str(Path(sys.executable).parent))
        text = text.replace(WORKDIR, str(ROOT))
        return dict(word.split("=", 1) for word in shlex.split(text))

    def copies(self):
        """What each stage copies out of the checkout."""
        for stage in self.stages:
            for word, rest in stage:
                if word == "COPY" and not rest.startswith("--from"):
                    yield from shlex.split(rest)[:-1]


@dataclass
class Container:
    """One container of the chart, as a process of this machine."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen | None = None

    def run(self):
        """Run it to its end."""
        return subprocess.run(  # noqa: S603  (our own program)
            self.command, env=self.environment, cwd=self.log.parent,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  (our own program)
                self.command, env=self.environment, cwd=self.log.parent,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def stop(self, seconds):
        """End it as Kubernetes does, and say how it ended."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(5)


def pod_of(manifests, command):
    """What runs `insula {command}`."""
    return next(pod for pod in Objects(manifests).pods if pod.command == [command])


def grace(manifests, command):
    """Seconds from SIGTERM to SIGKILL."""
    pod = pod_of(manifests, command)
    drain = pod.containers[0].get("lifecycle", {}).get("preStop", {}).get("sleep", {})
    return pod.spec["terminationGracePeriodSeconds"] - drain.get("seconds", 0)


def container_of(manifests, command, folder, secrets, **more):
    """
    The container that runs `insula {command}`; *secrets* are its Secrets' values by file.

    *more* are variables that only this machine has, such as a port that is free on it.
    """
    pod = pod_of(manifests, command)
    image = Image.read()
    mounted = folder / command
    mounted.mkdir()
    for _, _, path in pod.secrets():
        name = path.removeprefix(f"{_SECRETS}/")
        (mounted / name).write_text(secrets[name] + "\n")
    (spec,) = pod.containers
    given = {entry["name"]: entry["value"] for entry in spec["env"]}
    found = {name: text.replace(_SECRETS, str(mounted)) for name, text in given.items()}
    return Container(
        [*image.entrypoint, *spec["args"]],
        {**image.environment, **found, **more},
        mounted / "log",
    )
