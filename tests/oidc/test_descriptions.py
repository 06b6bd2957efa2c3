"""Descriptions are fixed sentences in the characters that may travel (RFC6749-4.1.2.1)."""

import ast
from pathlib import Path

import pytest

import insula.oidc
from insula.oidc import errors

LEGAL = set(range(0x20, 0x22)) | set(range(0x23, 0x5C)) | set(range(0x5D, 0x7F))
REFUSALS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.OAuthError | errors.BearerError)
}


def descriptions():
    for path in sorted(Path(insula.oidc.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in REFUSALS
                and node.args
            ):
                yield f"{path.stem}:{node.lineno}", node.args[0]


@pytest.mark.spec("RFC6749-4.1.2.1", "RFC6749-5.2")
@pytest.mark.parametrize(
    ("where", "said"),
    list(descriptions()),
    ids=lambda x: x if isinstance(x, str) else ast.unparse(x)[:40],
)
def test_a_description_is_a_legal_sentence(where, said):
    texts = [
        part.value
        for part in ast.walk(said)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]

    assert all(set(text.encode()) <= LEGAL for text in texts), where


def test_only_the_name_of_a_parameter_is_ever_put_into_one():
    composed = [
        (where, ast.unparse(said))
        for where, said in descriptions()
        if not isinstance(said, ast.Constant | ast.Name | ast.Attribute)
    ]

    assert [text for _, text in composed] == ["f'{name} is missing'"]
