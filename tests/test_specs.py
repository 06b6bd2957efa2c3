"""docs/specs.md says what is tested; it is written from the marks, and never old."""

import os
import subprocess
import sys

import pytest
from serving import ROOT
from specs import Evidence, document_of, page


@pytest.mark.parametrize(
    ("label", "document", "place"),
    [
        ("RFC7636-4.6", "RFC7636", "4.6"),
        ("RFC6749-A.17", "RFC6749", "A.17"),
        ("OAuth2-FP-2", "OAuth2-FP", "2"),
        ("FAPI2-SP-FINAL-5.3.2.1", "FAPI2-SP-FINAL", "5.3.2.1"),
        ("OAUTH21", "OAUTH21", ""),
        ("CVE-2026-9086", "CVE", "2026-9086"),
        ("ASVS 10.4.10", "ASVS", "10.4.10"),
        ("security row 56", "security", "row 56"),
        ("PK-4", "Insula", "PK-4"),
    ],
)
def test_a_label_names_a_document_and_a_place(label, document, place):
    assert document_of(label) == (document, place)


def test_sections_sort_as_people_count_and_cases_are_counted():
    evidence = Evidence()
    for _ in range(2):
        evidence.add("tests/test_a.py", "test_x", {"RFC1-10.1", "AZ-1"})
    evidence.add("tests/test_b.py", "test_y", {"RFC1-2", "RFC1-10.1"})
    evidence.add("tests/conformance/test_basic_plan.py", "test_oidcc_server", set())

    lines = [line for line in page(evidence).splitlines() if line.startswith(("| ", "## "))]

    assert lines == [
        "## RFC1",
        "| Section | Tests |",
        "| `2` | `tests/test_b.py::test_y` |",
        "| `10.1` | `tests/test_a.py::test_x` (2)<br>`tests/test_b.py::test_y` |",
        "## Insula's own rows",
        "| Section | Tests |",
        "| `AZ-1` | `tests/test_a.py::test_x` (2) |",
        "## Certification modules",
        "| Plan and module | Tests |",
        "| basic: `oidcc-server` | `tests/conformance/test_basic_plan.py::test_oidcc_server` |",
    ]


def test_the_page_is_not_old(tmp_path):
    target = tmp_path / "specs.md"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}

    collected = subprocess.run(  # noqa: S603  (our own words)
        [sys.executable, "-m", "pytest", "--collect-only", "-qq", f"--specs={target}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert collected.returncode == 0, collected.stdout[-2000:]
    committed = (ROOT / "docs/specs.md").read_text()
    assert committed == target.read_text(), "run `make specs`, and commit docs/specs.md"
