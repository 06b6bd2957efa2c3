"""The Helm chart, and that the checks of `make check` find what is wrong with one."""

import copy
import json
import re
import shutil

import helm_python
import pytest
import yaml
from serving import ROOT

from insula.platform.variables import Settings, secrecy, variable
from tools.chart import rendering
from tools.chart.__main__ import main
from tools.chart.objects import Objects
from tools.chart.rules import broken
from tools.chart.schemas import Judge

LEAST = {"baseDomain": "auth.example.com"}
FULL = rendering.value_files()["high-availability"]


@pytest.fixture(scope="module")
def made():
    return rendering.render(FULL)


def pod_spec(manifests, name):
    return found(manifests, "Deployment", name)["spec"]["template"]["spec"]


def found(manifests, kind, name):
    return next(m for m in manifests if (m["kind"], m["metadata"]["name"]) == (kind, name))


def test_the_least_that_must_be_said_is_the_base_domain():
    manifests = rendering.render(LEAST)

    assert broken(Objects(manifests)) == []
    assert rendering.lint(LEAST) == []
    assert {m["kind"] for m in manifests} == {
        "Deployment", "Ingress", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service",
        "ServiceAccount",
    }  # fmt: skip
    assert "trustedProxies is empty" in rendering.notes(LEAST)


def test_releases_stand_side_by_side():
    of_one, of_another = (
        Objects(rendering.render(FULL, release=name)) for name in ("insula", "blue")
    )

    assert broken(of_another) == []
    for pod in of_one.pods:
        assert not any(pod.selected_by(other.labels) for other in of_another.pods)
    assert not {m["metadata"]["name"] for m in of_one.manifests} & {
        m["metadata"]["name"] for m in of_another.manifests
    }


def test_what_is_switched_off_is_not_made():
    off = {
        **LEAST,
        "ingress": {"enabled": False},
        "migration": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "web": {"disruptionBudget": {"enabled": False}},
        "worker": {"disruptionBudget": {"enabled": False}},
    }

    assert [m["kind"] for m in rendering.render(off)] == [
        "ServiceAccount", "Service", "Deployment", "Deployment",
    ]  # fmt: skip


def test_hosts_lead_to_the_service(made):
    hosts = [rule["host"] for rule in found(made, "Ingress", "insula")["spec"]["rules"]]

    assert hosts == ["auth.example.com", "*.auth.example.com", "login.acme.example",
                     "id.globex.example"]  # fmt: skip


def test_the_ingress_reaches_the_web_and_the_scraper_the_ports_of_metrics(made):
    def let_in(name):
        return [
            (peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
            for rule in found(made, "NetworkPolicy", name)["spec"]["ingress"]
            for peer in rule["from"]
            for port in rule["ports"]
        ]

    web = found(made, "NetworkPolicy", "insula-web")["spec"]
    assert let_in("insula-web") == [("ingress-nginx", "http"), ("monitoring", "ops")]
    assert let_in("insula-worker") == [("monitoring", "ops")]
    assert let_in("insula-migrate") == []
    for alone in ("insula-worker", "insula-migrate"):
        assert found(rendering.render(LEAST), "NetworkPolicy", alone)["spec"]["ingress"] == []
    assert [p["port"] for rule in web["egress"] for p in rule["ports"]] == [53, 53, 5432, 6379, 443]


def test_pods_are_annotated_for_a_scraper_where_there_is_one(made):
    def annotations(manifests, name):
        metadata = found(manifests, "Deployment", name)["spec"]["template"]["metadata"]
        return metadata.get("annotations", {})

    asked = {"scrape": "true", "port": "8001", "path": "/metrics"}
    wanted = {f"prometheus.io/{name}": value for name, value in asked.items()}
    assert annotations(made, "insula-worker") == wanted
    assert annotations(made, "insula-web") == wanted | {"example.com/team": "identity"}
    assert annotations(rendering.render(LEAST), "insula-web") == {}


def test_the_page_about_it_says_what_the_chart_takes():
    page = (ROOT / "docs/how-to/deploy.md").read_text()
    (values,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    manifests = rendering.render(yaml.safe_load(values))

    assert broken(Objects(manifests)) == []
    mounted = {key for pod in Objects(manifests).pods for _, key, _ in pod.secrets()}
    assert set(re.findall(r"--from-file=(\w+)", page)) == mounted


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "baseDomain"),
        ({"baseDomain": "https://auth.example.com"}, "baseDomain"),
        (LEAST | {"replicas": 3}, "additional properties 'replicas' not allowed"),
        (LEAST | {"settings": {"INSULA_HMAC_KEY": "x"}}, "INSULA_HMAC_KEY"),
        (LEAST | {"settings": {"INSULA_REDIS_URL_FILE": "/x"}}, "INSULA_REDIS_URL_FILE"),
        (LEAST | {"settings": {"INSULA_NOPE": "x"}}, "INSULA_NOPE"),
        (LEAST | {"settings": {"INSULA_POLL_SECONDS": 2}}, "got number, want string"),
        (LEAST | {"secrets": {"hmacKey": {"name": ""}}}, "/secrets/hmacKey/name"),
        (LEAST | {"secrets": {"hmacKey": "s3cret"}}, "/secrets/hmacKey"),
        (LEAST | {"secrets": {"databaseOwnerUrl": {"name": ""}}}, "databaseOwnerUrl"),
        (LEAST | {"bootstrapAdmin": {"email": "a@b.example"}}, "bootstrapAdminPassword"),
        (LEAST | {"trustedProxies": ["0.0.0.0/0"]}, "trustedProxies"),
        (LEAST | {"environment": "development"}, "environment"),
    ],
)
def test_values_that_nobody_would_read_or_that_leak_are_refused(values, said):
    with pytest.raises(helm_python.HelmValuesError, match="schema") as refusal:
        rendering.render(values)

    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ({"terminationGracePeriodSeconds": 10}, "terminationGracePeriodSeconds"),
        ({"autoscaling": {"enabled": True, "minReplicas": 11}}, "minReplicas is above"),
    ],
)
def test_values_that_do_not_fit_each_other_are_refused(web, said):
    with pytest.raises(helm_python.HelmRenderError, match=said):
        rendering.render({**LEAST, "web": web})


def test_settings_take_what_this_release_reads_and_the_chart_has_no_value_for():
    schema = json.loads((rendering.CHART / "values.schema.json").read_text())
    taken = set(schema["properties"]["settings"]["propertyNames"]["enum"])
    known = {variable(name) for name in Settings.model_fields}
    secrets = {variable(name) for name in Settings.model_fields if secrecy(name) is not None}
    template = (rendering.CHART / "templates" / "_helpers.tpl").read_text()
    set_there = set(re.findall(r"INSULA_[A-Z_]*[A-Z]", template)) & known

    assert taken | secrets | set_there | {"INSULA_WORKERS"} == known  # a pod has one process
    assert not taken & (secrets | set_there)


# --- the checks find what is wrong


def of_web(change):
    return lambda manifests: change(pod_spec(manifests, "insula-web"))


def of_container(change):
    return of_web(lambda spec: change(spec["containers"][0]))


def of(kind, name, change):
    return lambda manifests: change(found(manifests, kind, name))


WRONG = {
    "a Secret": (
        lambda manifests: manifests.append(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
        ),
        "is made by the chart",
    ),
    "a secret's value": (
        of_container(lambda c: c["env"].append({"name": "INSULA_HMAC_KEY", "value": "x"})),
        "has the secret INSULA_HMAC_KEY as a value",
    ),
    "a secret by reference": (
        of_container(
            lambda c: c["env"].append(
                {"name": "X", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
            )
        ),
        "has X from a Secret",
    ),
    "a whole Secret": (
        of_container(lambda c: c.update(envFrom=[{"secretRef": {"name": "a"}}])),
        "takes its environment from a Secret",
    ),
    "a file that is not mounted": (
        of_web(lambda spec: spec["volumes"].pop(0)),
        "where nothing is mounted",
    ),
    "a variable of nobody": (
        of_container(lambda c: c["env"].append({"name": "INSULA_BASEDOMAIN", "value": "x"})),
        "INSULA_BASEDOMAIN, which nobody reads",
    ),
    "the owner's URL": (
        of_container(
            lambda c: c["env"].append({"name": "INSULA_DATABASE_OWNER_URL_FILE", "value": "/x"})
        ),
        "has the owner's URL",
    ),
    "a late migration": (
        of("Job", "insula-migrate", lambda m: m["metadata"].pop("annotations")),
        "is no hook",
    ),
    "privileges": (
        of_container(lambda c: c["securityContext"].update(allowPrivilegeEscalation=True)),
        "allowPrivilegeEscalation not False",
    ),
    "a writable root": (
        of_container(lambda c: c.pop("securityContext")),
        "readOnlyRootFilesystem not True",
    ),
    "no resources": (of_container(lambda c: c.pop("resources")), "no requests of cpu"),
    "a token": (
        of("ServiceAccount", "insula", lambda m: m.pop("automountServiceAccountToken")),
        "mounts its token",
    ),
    "links of services": (
        of_web(lambda spec: spec.pop("enableServiceLinks")),
        "enableServiceLinks",
    ),
    "a probe of a tenant": (
        of_container(lambda c: c["readinessProbe"]["httpGet"].update(port="http")),
        "readinessProbe does not ask the port of its own",
    ),
    "no probe": (of_container(lambda c: c.pop("livenessProbe")), "livenessProbe does not ask"),
    "a probe of a server": (
        lambda manifests: pod_spec(manifests, "insula-worker")["containers"][0]["livenessProbe"][
            "httpGet"
        ].update(path="/health"),
        "insula-worker: livenessProbe does not ask /live",
    ),
    "a port that nobody listens on": (
        of_container(lambda c: c["ports"][1].update(containerPort=8002)),
        "insula-web does not listen where its probes ask",
    ),
    "a short grace": (
        of_web(lambda spec: spec.update(terminationGracePeriodSeconds=8)),
        "killed before it has drained",
    ),
    "a gap in the rollout": (
        of("Deployment", "insula-web", lambda m: m["spec"].pop("strategy")),
        "may take pods away",
    ),
    "a policy for nobody": (
        of(
            "NetworkPolicy",
            "insula-web",
            lambda m: m["spec"]["podSelector"]["matchLabels"].update(
                {"app.kubernetes.io/component": "wep"}
            ),
        ),
        "selects 0 kinds of pods",
    ),
    "a policy for everybody": (
        of("NetworkPolicy", "insula-web", lambda m: m["spec"]["ingress"][0].pop("from")),
        "lets everybody in",
    ),
    "no policy": (
        lambda manifests: manifests.remove(found(manifests, "NetworkPolicy", "insula-worker")),
        "insula-worker is behind no network policy",
    ),
    "a door to the migration": (
        of(
            "NetworkPolicy",
            "insula-migrate",
            lambda m: m["spec"].update(ingress=[{"from": [{}], "ports": [{"port": 1}]}]),
        ),
        "where nobody listens",
    ),
    "a service without a port": (
        of("Service", "insula", lambda m: m["spec"]["ports"][0].update(targetPort="https")),
        "leads to port https",
    ),
    "an autoscaler of nothing": (
        of(
            "HorizontalPodAutoscaler",
            "insula-web",
            lambda m: m["spec"]["scaleTargetRef"].update(name="web"),
        ),
        "scales web, which is not there",
    ),
    "a host without TLS": (
        of("Ingress", "insula", lambda m: m["spec"]["tls"].pop()),
        "id.globex.example without a certificate",
    ),
    "any image": (of_container(lambda c: c.update(image="insula")), "runs whatever insula is"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_rule_finds_what_it_is_there_for(made, name):
    change, said = WRONG[name]
    manifests = copy.deepcopy(made)
    assert broken(Objects(manifests)) == []

    change(manifests)

    assert any(said in sentence for sentence in broken(Objects(manifests)))


def test_the_schemas_refuse_what_kubernetes_would(made):
    judge = Judge()
    web = copy.deepcopy(found(made, "Deployment", "insula-web"))
    assert judge.refusals(web) == []

    web["spec"]["template"]["spec"]["containers"][0]["readOnly"] = True

    refusals = judge.refusals(web)
    assert len(refusals) == 3
    assert all("'readOnly' was unexpected" in refusal for refusal in refusals)
    assert "Couldn't find schema" in judge.refusals({**web, "apiVersion": "apps/v1beta1"})[0]


def test_the_linter_finds_a_template_that_does_not_render(tmp_path):
    chart = shutil.copytree(rendering.CHART, tmp_path / "insula")
    (chart / "templates" / "web.yaml").write_text("kind: {{ required .Values.nothing.at.all }}")

    assert any("templates" in said for said in rendering.lint(LEAST, chart))


def test_the_whole_check_fails_with_what_is_wrong(monkeypatch, capsys):
    monkeypatch.setattr(rendering, "value_files", lambda: {"empty": {}})

    assert main() == 1
    assert "empty: " in capsys.readouterr().err
