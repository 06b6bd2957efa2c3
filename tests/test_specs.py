"""docs/specs.md says what is tested; it is written from the marks, and never old."""

import os
import subprocess
import sys

import pytest
from serving import ROOT
from specs import Evidence, document_of, evidence_of, is_whole, page


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


def test_the_page_is_not_old(request, tmp_path):
    committed = (ROOT / "docs/specs.md").read_text()

    now = page(evidence_of(request.session)) if is_whole(request.session) else collected(tmp_path)

    assert committed == now, "run `make specs`, and commit docs/specs.md"


def collected(folder):
    """The page of all tests, of which this run has but some."""
    target = folder / "specs.md"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(  # noqa: S603  (our own words)
        [sys.executable, "-m", "pytest", "--collect-only", "-qq", f"--specs={target}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return target.read_text()


#: The rows of behaviour that this release answers for, by their letters.
ROWS = {
    "AZ": range(1, 21),
    "OC": range(1, 22),
    "FC": (1, 2, 3, 6, 7, 8),
    "RM": (1, 2, 3, 7),
    "PK": range(1, 8),
    "JR": (*range(1, 9), 10),
    "TK": range(1, 16),
    "CA": (*range(1, 8), 10, 11),
    "RT": range(1, 11),
    "ID": (1, 2, 3, 4, 6),
    "UI": range(1, 9),
    "DI": range(1, 6),
    "DR": (*range(1, 14), 17, 18),
    "LO": (*range(1, 11), 12),
    "BR": (1, 2),
    "RV": range(1, 5),
    "IN": (1, 2, 3),
    "DV": range(1, 7),
    "PA": range(1, 9),
    "DP": range(1, 9),
    "RS": range(1, 9),
    "TX": range(1, 7),
    "SU": (1, 2, 3),
}


def test_every_row_of_behaviour_has_a_test_that_says_so():
    written = (ROOT / "docs" / "specs.md").read_text()
    rows = {f"{letters}-{n}" for letters, numbers in ROWS.items() for n in numbers}

    assert {row for row in rows if f"\n| `{row}` |" not in written} == set()
