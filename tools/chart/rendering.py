"""The chart as Helm renders it, without a cluster."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import helm_python
import yaml

CHART = Path(__file__).parents[2] / "helm" / "insula"
RELEASE, NAMESPACE = "insula", "identity"

#: One object of Kubernetes, as YAML has it.
Manifest = dict[str, Any]

_WARNING = 2  # Helm's number for it; an error is more


def value_files() -> dict[str, Any]:
    """The values that the chart is judged with, by the name of their file."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in (CHART / "ci").glob("*.yaml")}


def lint(values: Mapping[str, Any], chart: Path = CHART) -> list[str]:
    """What Helm's linter warns of or refuses."""
    said = helm_python.lint(chart, dict(values), strict=True)
    found = [
        f"{message['path']}: {message['error']}"
        for message in said["messages"]
        if message["severity"] >= _WARNING
    ]
    return found + [error for error in said["errors"] if not found]


def render(
    values: Mapping[str, Any], chart: Path = CHART, *, release: str = RELEASE
) -> list[Manifest]:
    """The objects that an installation would make. Raises `helm_python.HelmError`."""
    with helm_python.Chart.load(chart) as loaded:
        texts = loaded.render(dict(values), name=release, namespace=NAMESPACE)
    return [
        manifest
        for name, text in sorted(texts.items())
        if name.endswith(".yaml")
        for manifest in yaml.safe_load_all(text)
        if manifest
    ]


def notes(values: Mapping[str, Any]) -> str:
    """What Helm prints after an installation."""
    with helm_python.Chart.load(CHART) as loaded:
        texts = loaded.render(dict(values), name=RELEASE, namespace=NAMESPACE)
    return next(text for name, text in texts.items() if name.endswith("NOTES.txt"))
