"""
Which tests are evidence for which requirement, as a pytest plugin: `--specs=FILE` writes the table.

Nothing is run: `make specs` collects, and writes docs/specs.md from the marks
`@pytest.mark.spec("RFC7636-4.6", "PK-4")`. The option is one word: pytest would take the name of a
file that exists for the tests to collect, and not find this plugin.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

_ROW = re.compile(r"[A-Z]{2}-\d+\Z")
_SECTION = re.compile(r"(?P<document>.+?)-(?P<section>(?:\d|[A-Z]\.).*)\Z")
_MODULE = re.compile(r"test_(?P<module>oidcc_\w+)\Z")
_PLAN = re.compile(r"test_(?P<plan>\w+?)_plan")

#: Our own rows, and documents of ours that are named by their first word.
ROWS = "Insula"
_OWN = {"architecture", "features", "protocol", "security"}

_INTRODUCTION = """\
# What is tested, by requirement

This page is written by `make specs` from the marks of the tests, and a test fails when it is old.
A number after a test says how many cases it has. Rows such as `PK-4` are Insula's own list of
behaviours.
"""
_CONFORMANCE = """\
## Certification modules

Each module of the certification plans of the OpenID Foundation that this release answers is a test
of its own in `tests/conformance`. It runs at two tenants at once, a request of each in turn, in a
process that keeps one tenant's provider in memory.
"""


@dataclass
class Evidence:
    """How many cases each test has, by requirement, and by plan and module."""

    by_label: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    by_module: dict[tuple[str, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )

    def add(self, path: str, name: str, labels: set[str]) -> None:
        """Note a case of the test *name* in the file *path*, relative to the repository."""
        test = f"{path}::{name}"
        for label in labels:
            self.by_label[label][test] += 1
        module, plan = _MODULE.match(name), _PLAN.match(Path(path).name)
        if module and plan:
            self.by_module[plan["plan"], module["module"]][test] += 1


def _naturally(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A key that sorts 2 before 10."""
    parts = re.findall(r"\d+|\D+", text)
    return tuple((not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts)


def document_of(label: str) -> tuple[str, str]:
    """The document of a label, and the place in it."""
    if _ROW.match(label):
        return ROWS, label
    first, _, rest = label.partition(" ")
    if rest:
        return first, rest
    if found := _SECTION.match(label):
        return found["document"], found["section"]
    return label, ""


def page(evidence: Evidence) -> str:
    """The whole page."""
    documents: dict[str, dict[str, Counter[str]]] = defaultdict(dict)
    for label, tests in evidence.by_label.items():
        document, place = document_of(label)
        documents[document][place] = tests
    parts = [_INTRODUCTION]
    for document in sorted(documents, key=lambda name: (_rank(name), _naturally(name))):
        places = documents[document]
        rows = [(f"`{p}`" if p else "", places[p]) for p in sorted(places, key=_naturally)]
        parts.append(f"## {_title(document)}\n\n{_table('Section', rows)}")
    modules = sorted(evidence.by_module, key=lambda key: (key[0], _naturally(key[1])))
    if modules:
        rows = [(f"{p}: `{m.replace('_', '-')}`", evidence.by_module[p, m]) for p, m in modules]
        parts.append(f"{_CONFORMANCE}\n{_table('Plan and module', rows)}")
    return "\n".join(parts)


def _rank(document: str) -> int:
    """Standards, then our own rows, then our own papers."""
    if document == ROWS:
        return 1
    return 2 if document in _OWN else 0


def _title(document: str) -> str:
    if document == ROWS:
        return "Insula's own rows"
    return document.capitalize() if document in _OWN else document


def _table(head: str, rows: list[tuple[str, Counter[str]]]) -> str:
    lines = [f"| {head} | Tests |", "|---|---|"]
    for name, tests in rows:
        said = "<br>".join(
            f"`{test}`" + (f" ({count})" if count > 1 else "")
            for test, count in sorted(tests.items())
        )
        lines.append(f"| {name} | {said} |")
    return "\n".join([*lines, ""])


def pytest_addoption(parser):
    parser.addoption("--specs", metavar="FILE", help="write what is tested, by requirement")


def pytest_collection_finish(session):
    target = session.config.getoption("--specs")
    if target is None or session.testsfailed:  # what could not be imported would be missing
        return
    Path(target).write_text(page(evidence_of(session)), encoding="utf-8")


def evidence_of(session) -> Evidence:
    """What the tests of a run that were collected are evidence for."""
    evidence = Evidence()
    for item in session.items:
        labels = {label for mark in item.iter_markers("spec") for label in mark.args}
        path = item.path.relative_to(session.config.rootpath).as_posix()
        evidence.add(path, getattr(item, "originalname", item.name), labels)
    return evidence


def is_whole(session) -> bool:
    """Whether every test was collected, and none chosen."""
    chosen = session.config.option.keyword or session.config.option.markexpr
    files = set((session.config.rootpath / "tests").rglob("test_*.py"))
    return not chosen and files <= {item.path for item in session.items}
