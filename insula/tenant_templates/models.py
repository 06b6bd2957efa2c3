"""A template, and what it may hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.models import Layers, Stored
from insula.config_overrides.saving import check_fields, merged, validated
from insula.kernel.settings import Kind, Section
from insula.tenant_templates.errors import InvalidTemplate

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
LONGEST_DESCRIPTION: Final = 500


@dataclass(frozen=True, slots=True)
class Template:
    """One version of a template; *settings* by section and field, *by* an actor's type and id."""

    name: str
    version: int
    description: str
    settings: Stored
    by: Mapping[str, Any]
    at: datetime

    @property
    def label(self) -> str:
        """As the marks of a tenant's values name it."""
        return f"{self.name} v{self.version}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A template that a tenant is to be founded from, and the sections that there are."""

    name: str
    catalogue: Catalogue


def check_name(name: str) -> str:
    """Raise `InvalidTemplate` for what cannot name one."""
    if not _NAME.match(name):
        raise InvalidTemplate(
            "Lower-case letters, digits and hyphens, at most 63", field="name", example="enterprise"
        )
    return name


def check_description(text: str) -> str:
    """Raise `InvalidTemplate` for one that is too long or more than a line."""
    text = text.strip()
    if len(text) > LONGEST_DESCRIPTION or not (text == "" or text.isprintable()):
        raise InvalidTemplate(
            f"One line of at most {LONGEST_DESCRIPTION} characters", field="description"
        )
    return text


def check_settings(catalogue: Catalogue, settings: Stored) -> dict[str, dict[str, Any]]:
    """
    Settings as a template keeps them, each as its section takes it; the bounds count at its use.

    Raises `NotOverridable`, `InvalidSetting`, `InvalidTemplate`.
    """
    sections = {section.key: section for section in catalogue.of_tenants()}
    found = {}
    for key, values in settings.items():
        section = sections.get(key)
        if section is None:
            raise InvalidTemplate("A tenant decides no such section", field=key)
        check_fields(section, list(values))
        given = merged({}, values)
        for name in given:
            if name in _apart(section):
                raise InvalidTemplate("belongs to one tenant", field=f"{key}.{name}")
        plain = validated(section, given).model_dump(mode="json")
        if given:
            found[key] = {name: plain[name] for name in given}
    return found


def taken_from(catalogue: Catalogue, layers: Layers) -> dict[str, dict[str, Any]]:
    """What a tenant has decided, but for what belongs to it alone: images and secrets."""
    found = {}
    for section in catalogue.of_tenants():
        own = layers.own.get(section.key, {})
        shared = {n: own[n] for n in section.model_fields if n in own and n not in _apart(section)}
        if shared:
            found[section.key] = shared
    return found


def _apart(section: type[Section]) -> frozenset[str]:
    """The fields that no template has."""
    platforms = {name for name in section.model_fields if section.kind(name) is Kind.PLATFORM}
    return section.images() | section.secrets() | platforms
