"""Where a tenant's host serves its images, and how a file comes in."""

import re
from typing import Final

from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.assets.models import LARGEST, PATH
from insula.assets.service import Images
from insula.kernel.errors import Invalid, NotFound

#: A file, and what stands around it in a form.
LARGEST_BODY: Final = LARGEST + 64 * 1024

_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_MOST_FIELDS: Final = 20
_HEADERS: Final = {
    # an SVG is a document: opened by itself it loads and runs nothing, in an origin of its own
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_FOREVER: Final = "public, max-age=31536000, immutable"


def digest_in(request: Request) -> bytes:
    """The digest that the address names. Raises `NotFound`."""
    name = request.path_params["digest"]
    if not _DIGEST.match(name):
        raise _nothing()
    return bytes.fromhex(name)


def _nothing() -> NotFound:
    return NotFound("The address does not belong to anything here.")


def answer(request: Request, digest: bytes, media_type: str, image: bytes, cache: str) -> Response:
    """An image as it is sent; *cache* says for how long it may be kept, and by whom."""
    tag = f'"{digest.hex()}"'
    headers = {**_HEADERS, "etag": tag, "cache-control": cache}
    asked = {each.strip().removeprefix("W/") for each in
             request.headers.get("if-none-match", "").split(",")}  # fmt: skip
    if tag in asked or "*" in asked:
        return Response(status_code=304, headers=headers)
    response = Response(image, media_type=media_type, headers=headers)
    if request.method == "HEAD":
        response.body = b""  # after its length is told
    return response


def routes(images: Images) -> list[Route]:
    """The one address, over what this process remembers."""

    async def show_image(request: Request) -> Response:
        digest = digest_in(request)
        found = await images.find(request.scope["insula.tenant"], digest)
        if found is None:
            raise _nothing()
        return answer(request, digest, *found, _FOREVER)

    return [Route(f"{PATH}/{{digest}}", show_image, methods=["GET"])]


async def read_upload(
    request: Request, most: int = _MOST_FIELDS, most_files: int = 1
) -> tuple[dict[str, list[str]], dict[str, bytes]]:
    """
    The fields of a form and the files in it, by name; of one that is too large the beginning.

    Raises `Invalid` for what is no such form.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise Invalid("Send the form as the page does.", code="media_type")
    parser = MultiPartParser(
        request.headers, request.stream(), max_files=most_files, max_fields=most
    )
    try:
        form = await parser.parse()
        try:
            fields: dict[str, list[str]] = {}
            files: dict[str, bytes] = {}
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files[name] = await value.read(LARGEST + 1)
                else:
                    fields.setdefault(name, []).append(value)
        finally:
            await form.close()
    except (MultiPartException, MultipartParseError, UnicodeError) as error:
        raise Invalid("The form cannot be read.", detail=repr(error)) from error
    return fields, files
