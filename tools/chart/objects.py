"""The rendered objects by what they are to each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.chart.rendering import Manifest

_HOOK = "helm.sh/hook"


def title(manifest: Manifest) -> str:
    """What a finding calls it."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def hook(manifest: Manifest) -> str:
    """When Helm makes it, apart from the release; empty for a part of the release."""
    annotations = manifest["metadata"].get("annotations") or {}
    return str(annotations.get(_HOOK, ""))


@dataclass(frozen=True, slots=True)
class Pod:
    """What a Deployment or Job makes pods from."""

    owner: Manifest

    @property
    def title(self) -> str:
        return title(self.owner)

    @property
    def spec(self) -> dict[str, Any]:
        return dict(self.owner["spec"]["template"]["spec"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.owner["spec"]["template"]["metadata"].get("labels") or {})

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]

    @property
    def command(self) -> list[str]:
        """The command of Insula that it runs."""
        return list(self.spec["containers"][0].get("args", ()))

    @property
    def ports(self) -> set[str | int]:
        """Its ports, by name and by number."""
        return {
            word
            for container in self.containers
            for port in container.get("ports", ())
            for word in (port.get("name"), port["containerPort"])
            if word is not None
        }

    def secrets(self) -> Iterator[tuple[str, str, str]]:
        """The mounted keys of Secrets: name of the Secret, key, path in the container."""
        mounts = {
            mount["name"]: mount["mountPath"]
            for container in self.containers
            for mount in container.get("volumeMounts", ())
        }
        for volume in self.spec.get("volumes", ()):
            for source in (volume.get("projected") or {}).get("sources", ()):
                secret = source.get("secret")
                for item in (secret or {}).get("items", ()):
                    path = f"{mounts.get(volume['name'], '')}/{item['path']}"
                    yield secret["name"], item["key"], path

    def selected_by(self, selector: Mapping[str, Any]) -> bool:
        wanted = selector.get("matchLabels", selector)
        return bool(wanted) and wanted.items() <= self.labels.items()


@dataclass(frozen=True, slots=True)
class Objects:
    """Everything that one rendering made."""

    manifests: list[Manifest]

    def of(self, *kinds: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest["kind"] in kinds]

    def names(self, kind: str) -> set[str]:
        return {manifest["metadata"]["name"] for manifest in self.of(kind)}

    @property
    def pods(self) -> list[Pod]:
        return [Pod(m) for m in self.manifests if "template" in (m.get("spec") or {})]
