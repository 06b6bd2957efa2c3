"""What the Dockerfile and the chart say is run for real, with files for secrets."""

import time
from fnmatch import fnmatch

import httpx2
import pytest
from containers import Image, grace, pod_of
from serving import ROOT

from insula.platform.embedded.ports import free_port
from insula.platform.migrations import head
from tools.chart.objects import Objects


def test_the_image_runs_as_nobody_in_particular_and_builds_nothing(manifests):
    image = Image.read()
    ((user),) = image.final("USER")
    uid, gid = user.split(":")
    commands = " ".join(image.final("RUN"))

    assert int(uid) > 0
    assert "apt-get" not in commands
    assert "pip uninstall --yes pip setuptools wheel" in commands
    assert all("--require-hashes" in rest for stage in image.stages
               for word, rest in stage if word == "RUN" and " install" in rest)  # fmt: skip
    assert image.final("CMD") == ['["serve"]']
    assert not [name for name in image.environment if "SECRET" in name or "URL" in name]
    for pod in Objects(manifests).pods:
        security = pod.spec["securityContext"]
        assert (security["runAsUser"], security["runAsGroup"]) == (int(uid), int(gid))
        exposed = {word for rest in image.final("EXPOSE") for word in rest.split()}
        assert all(str(port) in {"http", "ops", *exposed} for port in pod.ports)


def test_the_image_gets_what_it_copies_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}

    assert rules[0] == "*"
    for source in Image.read().copies():
        assert (ROOT / source).exists()
        assert source.split("/")[0] in let_in
    assert not any(fnmatch(name, rule) for rule in let_in for name in (".git", ".env", ".insula"))


def test_the_migration_needs_the_owner_alone(migrated):
    container, first = migrated

    assert (first.returncode, first.stdout) == (0, f"The schema is at {head()} (was None).\n")
    assert {name for name in container.environment if name.endswith("_FILE")} == {
        "INSULA_DATABASE_OWNER_URL_FILE"
    }


@pytest.mark.parametrize("kind", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_the_web_answers_its_probes(web, kind):
    assert web.ask(kind).status_code == 200


def test_the_web_serves_tenants_of_the_base_domain(web):
    answer = httpx2.get(
        f"http://127.0.0.1:{web.port}/.well-known/openid-configuration",
        headers={"host": "platform.auth.example.com"},
    )

    assert answer.json()["issuer"] == "https://platform.auth.example.com"


@pytest.mark.usefixtures("web")  # whose start makes what workers look after
def test_the_worker_works_until_it_is_told_to_stop(container, manifests, behind_it):
    port = free_port()
    worker = container("worker", INSULA_HOST="127.0.0.1", INSULA_WORKER_PORT=str(port))
    (spec,) = pod_of(manifests, "worker").containers
    worker.start()
    try:
        deadline = time.monotonic() + 30
        while not behind_it.execute(
            "select 1 from pg_stat_activity where application_name = 'insula-worker'"
            " and datname = current_database()"
        ).fetchone():
            assert worker.process.poll() is None, worker.log.read_text()
            assert time.monotonic() < deadline, worker.log.read_text()
            time.sleep(0.1)
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            path = spec[kind]["httpGet"]["path"]
            answer = httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=5)
            assert answer.status_code == 200, (kind, answer.text)
    finally:
        code = worker.stop(grace(manifests, "worker"))

    assert code == 0, worker.log.read_text()
    assert "Traceback" not in worker.log.read_text()
