"""The OpenAPI document as people read it: what the page on each host and docs/api.md show."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from insula.management_api.rules import PREFIX

_TIERS: Final = {"read": 100, "write": 30, "delete": 10, "sensitive": 3}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a member of a body."""

    name: str
    place: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what it does, what it needs, takes and gives."""

    method: str
    path: str
    title: str
    text: str
    scope: str
    per_minute: int
    step_up: bool
    fields: Sequence[Field]
    status: str
    gives: str
    curl: str

    @property
    def anchor(self) -> str:
        words = self.path.replace("{", "").replace("}", "").strip("/").replace("/", "-")
        return f"{self.method.lower()}-{words}"


@dataclass(frozen=True, slots=True)
class Section:
    """The routes of one subject."""

    name: str
    operations: Sequence[Operation]


def sections(document: Mapping[str, Any]) -> list[Section]:
    """Read a document, subject by subject, in its order."""
    every = [
        (said["tags"][0], _operation(document, method, path, said))
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    ]
    order = list(dict.fromkeys(tag for tag, _ in every))
    every.sort(key=lambda each: order.index(each[0]))
    return [
        Section(tag, [operation for _, operation in group])
        for tag, group in groupby(every, key=lambda each: each[0])
    ]


def _operation(
    document: Mapping[str, Any], method: str, path: str, said: Mapping[str, Any]
) -> Operation:
    (scopes,) = said["security"][0].values()
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    fields = [*_parameters(said), *(_members(document, body) if body else ())]
    status = next(each for each in said["responses"] if each != "default")
    return Operation(
        method=method.upper(),
        path=path,
        title=said["summary"],
        text=said.get("description", ""),
        scope=scopes[0] if scopes else "any",
        per_minute=_TIERS[said["x-insula-tier"]],
        step_up=said["x-insula-step-up"],
        fields=fields,
        status=status,
        gives=_gives(said["responses"][status]),
        curl=_curl(document, method, path, body=body is not None),
    )


def _parameters(said: Mapping[str, Any]) -> Iterator[Field]:
    for each in said.get("parameters", ()):
        yield Field(
            each["name"],
            each["in"],
            _kind(each["schema"]),
            each["required"],
            each.get("description", ""),
        )


def _members(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Field]:
    """The members of a body; one that may be left out is a choice of it and nothing."""
    for choice in (schema, *schema.get("anyOf", ())):
        if "$ref" in choice:
            model = _model(document, choice["$ref"])
            needed = model.get("required", ())
            for name, member in model.get("properties", {}).items():
                text = member.get("description", "")
                yield Field(name, "body", _kind(member), name in needed, text)


def _model(document: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    model: Mapping[str, Any] = document["components"]["schemas"][_name(reference)]
    return model


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        return _name(schema["$ref"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    word = str(schema.get("format") or schema.get("type", "anything"))
    low, high = schema.get("minimum"), schema.get("maximum")
    return word if low is None or high is None else f"{word} {low} to {high}"


def _gives(response: Mapping[str, Any]) -> str:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" not in schema:
        return ""
    return _name(schema["$ref"]).replace("PageOf_", "page of ").rstrip("_")


def _curl(document: Mapping[str, Any], method: str, path: str, *, body: bool) -> str:
    address = document["servers"][0]["url"] + path
    verb = "" if method == "get" else f" -X {method.upper()}"
    line = f'curl{verb} "{address}" -H "Authorization: Bearer $TOKEN"'
    return line + (' --json "$BODY"' if body else "")


def models(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The schemas by name, as JSON."""
    return [
        (name, json.dumps(model, indent=2))
        for name, model in sorted(document["components"]["schemas"].items())
    ]


def markdown(document: Mapping[str, Any]) -> str:
    """Write docs/api.md."""
    lines = [_HEAD]
    for section in sections(document):
        lines.append(f"## {section.name}\n")
        for each in section.operations:
            lines += _written(each)
    return "\n".join(lines).rstrip() + "\n"


def _written(each: Operation) -> Iterator[str]:
    yield f"### `{each.method} {each.path}`\n"
    yield f"{each.title}. {' '.join(each.text.split())}".rstrip() + "\n"
    needs = f"`{each.scope}`" if each.scope.startswith(PREFIX) else "any scope"
    step_up = "; step-up" if each.step_up else ""
    gives = f" {each.gives}" if each.gives else ""
    yield f"Needs {needs}{step_up}. {each.per_minute} a minute. Answers {each.status}{gives}.\n"
    if each.fields:
        yield "| Field | In | Kind | Meaning |"
        yield "|---|---|---|---|"
        for field in each.fields:
            name = f"`{field.name}`" + (" *" if field.required else "")
            kind = field.kind.replace("|", "\\|")
            yield f"| {name} | {field.place} | {kind} | {field.text} |"
        yield ""


_HEAD: Final = """\
# The management API

<!-- Generated by `python -m insula.platform.api_docs`: change the code instead. -->

Every route under `/api/v1` on a tenant's host, from the routes themselves. `docs/openapi.json` is
the same for programs, and each host serves its own: `/api/v1/openapi.json`, and as a page
`/api/v1/docs`. What crosses tenants (`tenants`, `platform`) is there on the platform's host alone.
How to call it: [use-the-api.md](how-to/use-the-api.md). A field marked * must be given; *step-up*
asks for a fresh sign-in, or for a client that is marked `allow_dangerous_api`.
"""
