"""Where a tenant's host serves the logos of its clients."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.kernel.errors import NotFound
from insula.registration import service
from insula.registration.logos import PATH

_NAME: Final = re.compile(r"([0-9a-f]{64})\.png\Z")
_HEADERS: Final = {
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


async def show_logo(request: Request) -> Response:
    """One image, under the name of what is in it. Raises `NotFound`."""
    name = _NAME.match(request.path_params["name"])
    image = name and await service.logo(request.scope["insula.tenant"], bytes.fromhex(name[1]))
    if image is None:
        raise NotFound("The address does not belong to anything here.")
    return Response(image, media_type="image/png", headers=_HEADERS)


def routes() -> list[Route]:
    return [Route(f"{PATH}/{{name}}", show_logo, methods=["GET"])]
