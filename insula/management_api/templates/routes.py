"""/platform/templates: what new tenants can begin with (features.md D04, D10)."""

from dataclasses import replace
from typing import Annotated

from fastapi import Path, Query, Response

from insula.audit.models import Actor
from insula.config_overrides import service as config_overrides
from insula.config_overrides.errors import VersionConflict
from insula.config_overrides.models import Stored
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.problems import Refusal, WrongField
from insula.management_api.rules import needs
from insula.management_api.templates.schemas import (
    NewTemplate,
    Template,
    Templates,
    TemplateValues,
)
from insula.management_api.versions import IfMatch
from insula.tenant_templates import models, service
from insula.tenants import registry

router = router_of("Platform settings")

Name = Annotated[str, Path(min_length=1, max_length=63, description="The template's name.")]
VersionOf = Annotated[
    int | None, Query(ge=1, le=2**31, description="Else the newest; fifty are kept.")
]


def _actor(caller: Caller) -> Actor:
    """Who acts, as the record names them: the platform."""
    return replace(caller.actor, type="platform")


async def _wanted(caller: Caller, said: TemplateValues) -> Stored:
    """The settings that a body says, or those of the tenant that it names."""
    if (said.settings is None) == (said.from_tenant is None):
        wrong = WrongField(field="settings", code="validation_failed")
        text = "Say either settings or from_tenant."
        raise Refusal(422, "validation_failed", text, errors=[wrong])
    if said.from_tenant is None:
        return said.settings or {}
    entry = await registry.get(caller.parts.platform, said.from_tenant)
    async with caller.parts.platform.within(entry.id) as db:
        return models.taken_from(caller.parts.catalogue, await config_overrides.load_in(db))


def _told(found: models.Template, response: Response) -> Template:
    response.headers["ETag"] = f'"{found.version}"'
    return Template.of(found)


def _expected(if_match: str | None) -> int | None:
    """The version that a caller has seen. Raises `VersionConflict` for what never was one."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().strip('"')
    if not (text.isascii() and text.isdigit()):
        raise VersionConflict(None)
    return int(text)


@router.get(
    "/platform/templates", summary="List templates", openapi_extra=needs("cross-tenant:read")
)
async def list_templates(caller: Calling) -> Templates:
    async with caller.parts.platform.transaction() as db:
        return Templates(data=[Template.of(each) for each in await service.list_all(db)])


@router.post(
    "/platform/templates",
    summary="Create a template",
    status_code=201,
    openapi_extra=needs("cross-tenant:write"),
)
async def create_template(caller: Calling, wanted: NewTemplate, response: Response) -> Template:
    settings = await _wanted(caller, wanted)
    async with caller.parts.platform.within(caller.tenant.id) as db:
        made = await service.create(
            db, caller.parts.catalogue, wanted.name, settings,
            description=wanted.description, actor=_actor(caller),
        )  # fmt: skip
    response.headers["Location"] = f"/api/v1/platform/templates/{made.name}"
    return _told(made, response)


@router.get(
    "/platform/templates/{name}",
    summary="Read a template",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_template(
    caller: Calling, name: Name, response: Response, version: VersionOf = None
) -> Template:
    async with caller.parts.platform.transaction() as db:
        return _told(await service.get(db, name, version), response)


@router.put(
    "/platform/templates/{name}",
    summary="Save a new version of a template",
    openapi_extra=needs("cross-tenant:write"),
)
async def replace_template(
    caller: Calling,
    name: Name,
    wanted: TemplateValues,
    response: Response,
    if_match: IfMatch = None,
) -> Template:
    """What is not named is not in it; tenants that were founded from it stay as they are."""
    expected = _expected(if_match)
    settings = await _wanted(caller, wanted)
    async with caller.parts.platform.within(caller.tenant.id) as db:
        saved = await service.replace(
            db, caller.parts.catalogue, name, settings,
            description=wanted.description, expected=expected, actor=_actor(caller),
        )  # fmt: skip
    return _told(saved, response)


@router.delete(
    "/platform/templates/{name}",
    summary="Delete a template",
    status_code=204,
    openapi_extra=needs("cross-tenant:write", tier="delete"),
)
async def delete_template(caller: Calling, name: Name) -> None:
    """With its versions; tenants that were founded from it stay as they are."""
    async with caller.parts.platform.within(caller.tenant.id) as db:
        await service.delete(db, name, _actor(caller))
