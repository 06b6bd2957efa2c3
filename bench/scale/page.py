"""The part of docs/performance.md that tells how the figures go with the number of tenants."""

from collections.abc import Sequence

from bench.scale.figures import Series
from bench.scale.plot import number


def markdown(found: Sequence[Series], machine: str, picture: str) -> str:
    """Tables and picture; the words that people write stand in bench/scale/notes.md."""
    sizes = sorted({size for series in found for size in series.values})
    heads = " | ".join(f"{size:,}" for size in sizes)
    return "\n".join(
        [
            "## With the number of tenants",
            "",
            "Written by `make bench ARGS=scale`. " + machine,
            "",
            "One installation that grows by `insula seed`: two people, one client for each tenant;",
            "beyond 10,000 tenants by statements that write as many rows; their keys do not open.",
            "*Growth* is the largest size against the smallest; *of the budget* is what was used",
            "of it at the largest: 1 and less meets it. The better of two rounds counts; of a",
            "change to effect, the slowest of three changes.",
            "",
            f"![Each figure against the number of tenants]({picture})",
            "",
            f"| figure | {heads} | growth | budget | of the budget |",
            f"|---|{'---|' * len(sizes)}---|---|---|",
            *(_line(series, sizes) for series in found),
            "",
        ]
    )


def _line(series: Series, sizes: Sequence[int]) -> str:
    values = " | ".join(number(series.values[size]) for size in sizes)
    share = "" if series.share is None else f"{series.share:.2f}"
    return (
        f"| {series.name}, {series.unit} | {values} | {series.ratio:.2f} x | {_budget(series)} "
        f"| {share} |"
    )


def _budget(series: Series) -> str:
    words = []
    if series.most is not None:
        words.append(f"{series.most:,.0f} {series.unit}")
    if series.most_ratio is not None:
        words.append(f"growth {series.most_ratio} x")
    return ", ".join(words)
