"""Judge the chart and say what is wrong; exit code 1 if anything is."""

import sys

import helm_python

from tools.chart import rendering
from tools.chart.objects import Objects, title
from tools.chart.rules import broken
from tools.chart.schemas import VERSIONS, Judge


def main() -> int:
    """Judge every file of values."""
    judge, wrong, made = Judge(), [], 0
    files = rendering.value_files()
    for name, values in sorted(files.items()):
        found = rendering.lint(values)
        try:
            manifests = rendering.render(values)
        except helm_python.HelmError as error:
            found.append(str(error))
            manifests = []
        made += len(manifests)
        for manifest in manifests:
            found += [f"{title(manifest)}: {reason}" for reason in judge.refusals(manifest)]
        found += broken(Objects(manifests))
        wrong += [f"{name}: {sentence}" for sentence in found]
    for sentence in wrong:
        sys.stderr.write(f"{sentence}\n")
    if not wrong:
        sys.stdout.write(
            f"Chart: {made} objects of {len(files)} files of values fit Kubernetes "
            f"{', '.join(VERSIONS)} and our rules.\n"
        )
    return 1 if wrong or not made else 0


if __name__ == "__main__":
    sys.exit(main())
