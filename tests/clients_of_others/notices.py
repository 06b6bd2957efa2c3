"""Notices of a logout as an application gets them, without a host that they are sent to."""

from types import SimpleNamespace

import jwt
from browsing import Browser
from people import App

from insula.providers import logout


class Letterbox:
    """Stands where the door is: takes every notice, and keeps it."""

    def __init__(self):
        self.tokens = []

    async def post(self, _url, *, form, **_):
        self.tokens.append(form["logout_token"])
        return SimpleNamespace(status=200)


def notice_of_logout(product, slug, app):
    """Somebody signs in at *app* and out again: who, the id of the session, and the notice."""
    person, letterbox = product.person(slug), Letterbox()
    known = App(None, app.client_id, app.secret)
    with Browser() as browser:
        page = browser.open(product.authorize_url(slug, known, scope="openid"))
        page = browser.sign_in(page, person)
        if page.left is None:
            page = browser.submit(page, "allow")
        tokens = product.redeem(slug, known, page.code).json()
        browser.open(
            product.url(slug, "/oauth2/logout"), params={"id_token_hint": tokens["id_token"]}
        )
    sid = jwt.decode(tokens["id_token"], options={"verify_signature": False})["sid"]
    (row,) = product.rows("select id from insula.session_clients where sid = %s", sid)

    async def deliver(here):
        return await logout.deliver(await here.tenant(slug), here.envelope, letterbox, row.id)

    assert product.backstage.run(deliver)
    (token,) = letterbox.tokens
    return person, sid, token
