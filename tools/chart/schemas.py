"""What Kubernetes itself would say of an object: its published schemas, unknown fields refused."""

import json

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no marker of its types

from tools.chart.rendering import Manifest

#: The oldest that Chart.yaml allows, one between, and the newest that is known here.
VERSIONS = ("1.30", "1.34", "1.37")


class Judge:
    """Asks about each object once, however many files of values make the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str | None] = {}

    def refusals(self, manifest: Manifest) -> list[str]:
        """What the versions refuse, each with its reason."""
        text = json.dumps(manifest, sort_keys=True)
        found = []
        for version in VERSIONS:
            if (text, version) not in self._known:
                self._known[text, version] = _refusal(manifest, version)
            if reason := self._known[text, version]:
                found.append(f"Kubernetes {version}: {reason}")
        return found


def _refusal(manifest: Manifest, version: str) -> str | None:
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error.message)
    return None
