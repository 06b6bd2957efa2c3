"""
Judges the Helm chart: `python -m tools.chart`, part of `make check`.

The chart is linted and rendered by Helm's own engine for every file of values in
`helm/insula/ci/`, each object is held against the schemas of three versions of Kubernetes,
and the whole against our own rules (`rules`).
"""
