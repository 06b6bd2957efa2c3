"""
The page: a GET shows whose link it is and the form, a POST uses it up.

Whatever is wrong with a link is answered with one page, which does not say whether there is such a
person. The address stands in the history of the browser, but leads nowhere once it was used; our
pages send no referrer and are not kept.
"""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.accounts.activation import service as links
from insula.accounts.activation.models import PATH
from insula.accounts.errors import WeakPassword
from insula.sign_in.activation import service
from insula.sign_in.guard import (
    Pages,
    cookies_of,
    csrf_token_of,
    go_on,
    here_of,
    only,
    read_form,
    show_page,
    tenant_of,
)
from insula.sign_in.service import policies_of
from insula.ui.views import Person, hue_of


def routes(pages: Pages) -> list[Route]:
    return [
        pages.route(PATH, show_activation, "GET"),
        pages.route(PATH, post_activation, "POST"),
    ]


def _token(request: Request) -> str:
    """What the address carries; a token that stands twice is none."""
    values = request.query_params.getlist("token")
    return values[0] if len(values) == 1 else ""


async def show_activation(pages: Pages, request: Request) -> Response:
    return await _page(pages, request)


async def _page(
    pages: Pages, request: Request, errors: tuple[tuple[str, str], ...] = ()
) -> Response:
    token = _token(request)
    user = await links.find(tenant_of(request), token)
    cookies: tuple[str, ...] = ()
    browser = pages.jar.read_browser(cookies_of(request))
    if browser is None:
        browser, header = pages.jar.new_browser()
        cookies = (header,)
    return show_page(
        pages,
        request,
        "sign_in/new_password.html",
        status=422 if errors else 200,
        cookies=cookies,
        app=None,
        by_link=True,
        user=Person(user.label, user.email or user.username, hue_of(str(user.id))),
        username=user.email or user.username,
        min_length=policies_of(tenant_of(request)).password.min_length,
        errors=list(errors),
        csrf_token=csrf_token_of(pages, request, browser),
        action=f"{PATH}?{urlencode({'token': token})}",
    )


async def post_activation(pages: Pages, request: Request) -> Response:
    fields = await read_form(pages, request)
    password = only(fields, "new_password")
    if password != only(fields, "repeat"):
        return await _page(pages, request, (("repeat", "The two passwords differ."),))
    try:
        tokens = await service.activate(
            tenant_of(request), here_of(pages, request), pages.passwords, _token(request), password
        )
    except WeakPassword as refusal:
        return await _page(pages, request, (("new_password", refusal.description),))
    return go_on(pages, request, "/", tokens)
