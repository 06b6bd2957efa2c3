"""
What we ask of the chart beyond Kubernetes' schemas (architecture section 9).

A rule looks at everything that one rendering made and tells what is wrong, a sentence for each.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from insula.platform.server import DRAIN
from insula.platform.variables import Settings, secrecy, variable
from tools.chart.objects import Objects, Pod, hook, title

Rule = Callable[[Objects], Iterator[str]]

_VARIABLES: Final = {variable(name): name for name in Settings.model_fields}
_FILE: Final = "_FILE"
#: What each kind of probe asks, by the command that is asked.
_PROBES: Final = {
    "serve": {
        "startupProbe": "/health",
        "livenessProbe": "/health",
        "readinessProbe": "/ready",
    },
    "worker": {"startupProbe": "/live", "livenessProbe": "/live", "readinessProbe": "/ready"},
}
#: The name of the port for probes and metrics, and the variable that has a command listen on it.
_OPS: Final = "ops"
_OPS_PORTS: Final = {"serve": variable("ops_port"), "worker": variable("worker_port")}
_OWNER: Final = variable("database_owner_url") + _FILE


def no_secret_is_made(objects: Objects) -> Iterator[str]:
    for manifest in objects.of("Secret"):
        yield f"{title(manifest)} is made by the chart"


def environments_hold_no_secret(objects: Objects) -> Iterator[str]:
    for pod in objects.pods:
        for container in pod.containers:
            for source in container.get("envFrom", ()):
                if "secretRef" in source:
                    yield f"{pod.title} takes its environment from a Secret"
            for entry in container.get("env", ()):
                if "secretKeyRef" in (entry.get("valueFrom") or {}):
                    yield f"{pod.title} has {entry['name']} from a Secret"
                if entry["name"] in _VARIABLES and secrecy(_VARIABLES[entry["name"]]) is not None:
                    yield f"{pod.title} has the secret {entry['name']} as a value"


def variables_are_known_and_their_files_mounted(objects: Objects) -> Iterator[str]:
    for pod in objects.pods:
        files = {path for _, _, path in pod.secrets()}
        named = set()
        for name, value in _environment(pod):
            bare = name.removesuffix(_FILE)
            if name.startswith("INSULA_") and name not in _VARIABLES and bare not in _VARIABLES:
                yield f"{pod.title} sets {name}, which nobody reads"
            if name.endswith(_FILE):
                named.add(value)
                if value not in files:
                    yield f"{pod.title} names {value} in {name}, where nothing is mounted"
        for path in sorted(files - named):
            yield f"{pod.title} mounts {path}, which no variable names"


def the_owners_secret_is_the_migrations_alone(objects: Objects) -> Iterator[str]:
    for pod in objects.pods:
        has = _OWNER in dict(_environment(pod))
        if has and pod.command != ["migrate"]:
            yield f"{pod.title} has the owner's URL and is no migration"
        if pod.command == ["migrate"] and {name for name, _ in _files(pod)} != {_OWNER}:
            yield f"{pod.title} has other secrets than the owner's URL"


def migrations_run_before_the_release(objects: Objects) -> Iterator[str]:
    for pod in objects.pods:
        if pod.command == ["migrate"] and hook(pod.owner) != "pre-install,pre-upgrade":
            yield f"{pod.title} is no hook of installation and upgrade"


def containers_may_nothing(objects: Objects) -> Iterator[str]:
    for pod in objects.pods:
        for container in pod.containers:
            for path, wanted in _SECURITY.items():
                if _at(container.get("securityContext"), path) != wanted:
                    yield f"{pod.title}: {container['name']} has {path} not {wanted}"
            for kind, name in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
                if not _at(container.get("resources"), f"{kind}.{name}"):
                    yield f"{pod.title}: {container['name']} has no {kind} of {name}"


_SECURITY: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities.drop": ["ALL"],
    "capabilities.add": None,
    "privileged": None,
    "seccompProfile.type": "RuntimeDefault",
}


def pods_stand_alone(objects: Objects) -> Iterator[str]:
    for pod in objects.pods:
        for name in ("automountServiceAccountToken", "enableServiceLinks"):
            if pod.spec.get(name) is not False:
                yield f"{pod.title} leaves {name} on"
        for name in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(name):
                yield f"{pod.title} has {name}"
        if any("hostPath" in volume for volume in pod.spec.get("volumes", ())):
            yield f"{pod.title} mounts a folder of its node"


def accounts_may_nothing(objects: Objects) -> Iterator[str]:
    accounts = {m["metadata"]["name"]: m for m in objects.of("ServiceAccount")}
    for account in accounts.values():
        if account.get("automountServiceAccountToken") is not False:
            yield f"{title(account)} mounts its token"
    for pod in objects.pods:
        own = accounts.get(pod.spec.get("serviceAccountName", ""))
        if own is None:
            yield f"{pod.title} has no service account of the chart"
        elif bool(hook(pod.owner)) != bool(hook(own)):
            yield f"{pod.title} and its service account are made at different times"


def whoever_listens_can_be_asked(objects: Objects) -> Iterator[str]:
    """A probe comes by the pod's address, so it asks the port that needs no name of a host."""
    for pod in objects.pods:
        (command,) = pod.command
        if command == "migrate":
            continue
        (container,) = pod.containers
        ports = {port.get("name"): port["containerPort"] for port in container.get("ports", ())}
        if dict(_environment(pod)).get(_OPS_PORTS[command]) != str(ports.get(_OPS)):
            yield f"{pod.title} does not listen where its probes ask"
        for kind, path in _PROBES[command].items():
            asked = (container.get(kind) or {}).get("httpGet") or {}
            if asked.get("path") != path:
                yield f"{pod.title}: {kind} does not ask {path}"
            elif asked.get("port") != _OPS:
                yield f"{pod.title}: {kind} does not ask the port of its own"


def rollouts_lose_nobody(objects: Objects) -> Iterator[str]:
    for pod in objects.pods:
        if pod.owner["kind"] != "Deployment":
            continue
        if _at(pod.owner["spec"], "strategy.rollingUpdate.maxUnavailable") != 0:
            yield f"{pod.title} may take pods away before others are ready"
        for container in pod.containers:
            drain = _at(container, "lifecycle.preStop.sleep.seconds") or 0
            if pod.spec.get("terminationGracePeriodSeconds", 30) <= drain + DRAIN:
                yield f"{pod.title} is killed before it has drained"


def selectors_select(objects: Objects) -> Iterator[str]:
    for manifest in objects.of("Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"):
        spec = manifest["spec"]
        selector = spec.get("podSelector") or spec.get("selector") or {}
        pods = [pod for pod in objects.pods if pod.selected_by(selector)]
        if len(pods) != 1:
            yield f"{title(manifest)} selects {len(pods)} kinds of pods"
            continue
        for port in _target_ports(manifest):
            if port not in pods[0].ports:
                yield f"{title(manifest)} leads to port {port}, which {pods[0].title} has not"


def _target_ports(manifest: dict[str, Any]) -> Iterator[str | int]:
    if manifest["kind"] == "Service":
        yield from (port["targetPort"] for port in manifest["spec"]["ports"])
    if manifest["kind"] == "NetworkPolicy":
        for rule in manifest["spec"].get("ingress") or ():
            yield from (port["port"] for port in rule.get("ports", ()))


def every_pod_is_behind_a_policy(objects: Objects) -> Iterator[str]:
    for pod in objects.pods:
        policies = [
            policy
            for policy in objects.of("NetworkPolicy")
            if pod.selected_by(policy["spec"]["podSelector"])
        ]
        if not policies:
            yield f"{pod.title} is behind no network policy"
        for policy in policies:
            yield from _about_policy(policy, pod)


def _about_policy(policy: dict[str, Any], pod: Pod) -> Iterator[str]:
    spec = policy["spec"]
    if set(spec["policyTypes"]) != {"Ingress", "Egress"}:
        yield f"{title(policy)} leaves a direction open"
    rules = spec.get("ingress") or []
    if rules and not pod.ports:
        yield f"{title(policy)} lets somebody in where nobody listens"
    if any(not rule.get("from") or not rule.get("ports") for rule in rules):
        yield f"{title(policy)} lets everybody in"
    if any(not rule.get("ports") for rule in spec.get("egress") or []):
        yield f"{title(policy)} lets out on every port"
    if hook(pod.owner) != hook(policy):
        yield f"{title(policy)} is made at another time than {pod.title}"


def names_lead_somewhere(objects: Objects) -> Iterator[str]:
    deployments = objects.names("Deployment")
    for scaler in objects.of("HorizontalPodAutoscaler"):
        name = scaler["spec"]["scaleTargetRef"]["name"]
        if name not in deployments:
            yield f"{title(scaler)} scales {name}, which is not there"
        for deployment in objects.of("Deployment"):
            if deployment["metadata"]["name"] == name and "replicas" in deployment["spec"]:
                yield f"{title(deployment)} has replicas, which its autoscaler decides"
    ports = {
        (service["metadata"]["name"], port["name"])
        for service in objects.of("Service")
        for port in service["spec"]["ports"]
    }
    for ingress in objects.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                if (backend["name"], backend["port"]["name"]) not in ports:
                    yield f"{title(ingress)} leads {rule['host']} to nobody"


def ingress_is_https(objects: Objects) -> Iterator[str]:
    for ingress in objects.of("Ingress"):
        covered = {host for entry in ingress["spec"].get("tls", ()) for host in entry["hosts"]}
        for rule in ingress["spec"]["rules"]:
            if rule["host"] not in covered:
                yield f"{title(ingress)} serves {rule['host']} without a certificate"


def images_are_named_exactly(objects: Objects) -> Iterator[str]:
    for pod in objects.pods:
        for container in pod.containers:
            _, _, tag = container["image"].rpartition("/")[2].partition(":")
            if tag in {"", "latest"}:
                yield f"{pod.title} runs whatever {container['image']} is that day"


RULES: Final[tuple[Rule, ...]] = (
    no_secret_is_made,
    environments_hold_no_secret,
    variables_are_known_and_their_files_mounted,
    the_owners_secret_is_the_migrations_alone,
    migrations_run_before_the_release,
    containers_may_nothing,
    pods_stand_alone,
    accounts_may_nothing,
    whoever_listens_can_be_asked,
    rollouts_lose_nobody,
    selectors_select,
    every_pod_is_behind_a_policy,
    names_lead_somewhere,
    ingress_is_https,
    images_are_named_exactly,
)


def broken(objects: Objects) -> list[str]:
    """Everything that some rule finds."""
    return [sentence for rule in RULES for sentence in rule(objects)]


def _environment(pod: Pod) -> Iterator[tuple[str, str]]:
    for container in pod.containers:
        for entry in container.get("env", ()):
            yield entry["name"], entry.get("value", "")


def _files(pod: Pod) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in _environment(pod) if name.endswith(_FILE))


def _at(tree: Any, path: str) -> Any:  # noqa: ANN401  (whatever YAML holds)
    for word in path.split("."):
        tree = (tree or {}).get(word)
    return tree
