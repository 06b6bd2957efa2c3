"""The page of measurements: a part is replaced alone, and the picture says every figure."""

import xml.etree.ElementTree as ET

import pytest

from bench import report
from bench.scale import page, plot
from bench.scale.figures import SIZES, Series, by_name, catalogue

PAGE = "# Performance\n\n| flow | per second |\n\nWords of people.\n"


@pytest.fixture
def found():
    """Figures that grow by a tenth from size to size."""
    found = catalogue()
    for place, size in enumerate(SIZES):
        measured = {series.name: 10 * (1 + place / 10) for series in found}
        by_name(found, measured, size)
    return found


def test_a_part_of_the_page_is_replaced_alone():
    once = report.with_scale(PAGE, "## Scale\n\nold")
    assert once.startswith(PAGE)
    assert report.scale_of(once) == "## Scale\n\nold"

    again = report.with_scale(once, "## Scale\n\nnew")
    assert again == once.replace("old", "new")

    assert report.with_scale("# Fresh rates\n", report.scale_of(again)).startswith(
        "# Fresh rates\n"
    )
    assert report.scale_of(report.with_scale("# Fresh\n", report.scale_of(again))) == (
        "## Scale\n\nnew"
    )
    assert report.scale_of(PAGE) == ""
    assert report.with_scale(again, "") == PAGE


def test_a_line_tells_growth_and_what_was_used_of_the_budget(found):
    text = page.markdown(found, "One day.", "images/scale.svg")
    lines = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| ")}

    assert lines["| start-up of `serve`, s"].endswith(
        "| 10.0 | 11.0 | 12.0 | 13.0 | 1.30 x |  |  |"
    )
    assert lines["| tenant resolution, warm, µs"].endswith(
        "| 1.30 x | 20 µs, growth 1.1 x | 1.18 |"
    )
    assert lines["| pool miss, p99, ms"].endswith("| 1.30 x | 25 ms | 0.52 |")
    assert "](images/scale.svg)" in text


def test_the_picture_has_a_chart_for_each_figure_and_its_budget_where_it_is_in_sight(found):
    found.append(Series("far <below> its budget", "ms", most=1e6, values={10: 0.0, 1000: 0.0}))
    root = ET.fromstring(plot.svg(found))  # noqa: S314  (our own picture)
    svg = "{http://www.w3.org/2000/svg}"

    assert len(root.findall(f"{svg}g")) == len(found)
    names = [text.text for text in root.iter(f"{svg}text") if text.get("class") == "name"]
    assert names == [series.name.replace("`", "") for series in found]
    budgets = [line for line in root.iter(f"{svg}line") if line.get("class") == "budget"]
    assert len(budgets) == sum(series.most in (20, 25) for series in found)
    assert "prefers-color-scheme: dark" in root.findtext(f"{svg}style")
