"""The file that proves one of a tenant's login domains, on that domain (features.md T01)."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from insula.kernel.errors import NotFound
from insula.tenants.domains import service as domains
from insula.tenants.domains.models import file_path, proof_text

#: Where the file of any token is.
PREFIX: Final = file_path("").removesuffix(".txt")
_TOKEN: Final = re.compile(r"[a-z0-9]{32,64}\Z")


async def show_proof(request: Request) -> PlainTextResponse:
    """The file, where it proves the domain that was asked. Raises `NotFound`."""
    token, host = request.path_params["token"], request.scope["insula.host"]
    known = (
        host is not None
        and _TOKEN.match(token) is not None
        and await domains.serves_file(request.scope["insula.tenant"], host, token)
    )
    if not known:
        raise NotFound("The address does not belong to anything here.")
    return PlainTextResponse(proof_text(token), headers={"cache-control": "no-store"})


def routes() -> list[Route]:
    return [Route(file_path("{token}"), show_proof, methods=["GET"])]
