"""
A folder that says what an installation should be, as it is read.

It holds `platform.yaml` (what all tenants inherit, and their bounds) and a tenant's document in
`tenants/{slug}.yaml`; each may be missing. `.yml` is the same.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from insula.configuration.models import Document, parse_document
from insula.kernel.errors import InsulaError, Invalid, Unavailable

_ENDINGS: Final = (".yaml", ".yml")


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice: one of the two would be lost without a word."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(
                None, None, f"“{key}” stands twice", node.start_mark
            )
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


@dataclass(frozen=True, slots=True)
class TenantFile:
    """A tenant's document, and the *name* of its file in the folder."""

    name: str
    document: Document


@dataclass(frozen=True, slots=True)
class PlatformFile:
    """What all tenants inherit and their bounds, by section; a part that is None is not touched."""

    name: str
    values: Mapping[str, Mapping[str, Any]] | None = None
    bounds: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """What a folder says; the tenants by slug."""

    tenants: Mapping[str, TenantFile]
    platform: PlatformFile | None = None


def read_folder(folder: Path) -> Files:
    """Read a folder. Raises `Invalid` with the file and the line or place."""
    platform = None
    for file in _files(folder, "platform"):
        with naming(file.name):
            platform = _platform(file.name, _read(file))
    tenants = {}
    for file in _files(folder / "tenants"):
        name = f"tenants/{file.name}"
        with naming(name):
            tenants[file.stem] = TenantFile(name, parse_document(_read(file)))
    if platform is None and not tenants:
        raise Invalid(f"{folder} has neither platform.yaml nor tenants/*.yaml")
    return Files(tenants, platform)


@contextmanager
def naming(file: str) -> Iterator[None]:
    """Say of a refusal which file it is about."""
    try:
        yield
    except Unavailable:
        raise
    except Invalid as refusal:
        place = f"{file}: {refusal.field}" if refusal.field else file
        raise Invalid(
            refusal.description, field=place, example=refusal.example, code=refusal.code
        ) from refusal
    except InsulaError as refusal:
        raise Invalid(refusal.description, field=file, code=refusal.code) from refusal


def _files(folder: Path, stem: str = "*") -> list[Path]:
    """The files of a folder, one for each name. Raises `Invalid` where two have the same."""
    found: dict[str, Path] = {}
    for file in sorted(each for end in _ENDINGS for each in folder.glob(f"{stem}{end}")):
        if file.stem in found:
            both = f"{found[file.stem].name} and {file.name}"
            raise Invalid(f"{both} are about the same; keep one")
        found[file.stem] = file
    return list(found.values())


def _platform(name: str, content: Mapping[str, Any]) -> PlatformFile:
    for part in content:
        if part not in ("values", "bounds") or not _is_sections(content[part]):
            raise Invalid(
                "this file has `values` and `bounds`, each with sections and their fields",
                field=part, example="bounds: {oidc.ttl: {id_token: 900}}",
            )  # fmt: skip
    return PlatformFile(name, content.get("values"), content.get("bounds"))


def _is_sections(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(fields, dict) for fields in value.values())


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(), _Strict)  # noqa: S506  (a SafeLoader, stricter)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(f"is not YAML: {' '.join(str(error).split())}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Invalid("must be a mapping")
    return content
