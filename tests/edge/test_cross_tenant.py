"""
What is one tenant's is worth nothing at another: by construction, for every route.

Each case presents something of Acme at Globex, and something that nobody ever made. The two
answers must be the same: same status, same headers, same bytes but for what is new each time.
"""

import re
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import jwt
import pytest
from addresses import ADDRESSES, seen
from administrators import COOKIE, admin_of
from administrators import signed_in as signed_in_as_admin
from browsing import Browser
from product import CALLBACK, VERIFIER
from registrar import Registrar
from spine import FAST, GRANTS, Api, code_of, redemption, signed_in, tokens_of
from televisions import Television, make_tv

from insula.oidc import issuer as paths
from insula.oidc.features.pkce import s256
from insula.oidc.provider import BELOW, DOCUMENTS
from insula.registration.logos import PATH as LOGOS
from insula.tenants.domains import models as login_domains
from insula.tenants.domains import service as domains
from insula.tenants.domains.claims import Wish

LONG = "seventeen grey herons"


def value(prefix):
    return f"ins_{prefix}_{secrets.token_urlsafe(32)}"


@dataclass
class Request:
    """One request; *browser* brings its cookies, *auth* is a client's."""

    method: str
    path: str
    query: dict | None = None
    form: dict | None = None
    json: object = None
    route: str = ""
    headers: dict | None = None
    auth: tuple | None = None
    cookies: dict | None = None
    #: What a page of the answer may say again.
    said: str = ""


class Globex:
    """The house that is visited, and who lives there."""

    def __init__(self, product):
        self.product = product
        self.app = product.app("globex", grant_types=GRANTS, introspects_others=True, **FAST)
        self.auth = (self.app.client_id, self.app.secret)
        self.person = product.person("globex")
        self.registrar = Registrar(product, "globex", product.server.port)
        self.registrar.switch(registration="token", attempts_per_address=1000)

    def registered(self):
        """A client that registered itself here: its id and its token."""
        made = self.registrar.register()
        return made["client_id"], made["registration_access_token"]

    def send(self, request):
        cookies = "; ".join(f"{k}={v}" for k, v in (request.cookies or {}).items())
        with httpx2.Client(base_url=self.product.server.url, timeout=30) as http:
            return http.request(
                request.method,
                request.path,
                params=request.query,
                data=request.form,
                json=request.json,
                auth=request.auth,
                headers={
                    "host": self.product.server.host("globex"),
                    **({"cookie": cookies} if cookies else {}),
                    **(request.headers or {}),
                },
            )


class Acme:
    """What is taken from Acme to be tried elsewhere."""

    def __init__(self, product):
        self.product = product
        self.jwt_app = product.app("acme", grant_types=GRANTS, introspects_others=True, **FAST)
        self.opaque_app = product.app("acme", access_token_format="opaque", **FAST)  # noqa: S106
        self.browser = signed_in(product, "acme", self.jwt_app)
        self.tokens = tokens_of(product, "acme", self.jwt_app, self.browser)
        self.opaque = tokens_of(product, "acme", self.opaque_app, self.browser)["access_token"]
        self.api = Api(product, "acme", self.jwt_app)
        self.registrar = Registrar(product, "acme", product.server.port)
        self.registrar.switch(registration="token")

        self.admin = admin_of(product, "acme", "superadmin")
        with signed_in_as_admin(product, "acme", self.admin) as browser:
            home = product.url("acme", "/admin")
            self.admin_cookie = browser.cookie(home, COOKIE)
            self.admin_form = browser.open(home).form.values["csrf_token"]

    def initial_token(self):
        return self.registrar.token()

    def registered(self):
        """A client that registered itself at Acme: its id and its token."""
        made = self.registrar.register()
        return made["client_id"], made["registration_access_token"]

    def cookie(self, name):
        return self.browser.cookie(self.product.url("acme", "/"), name)

    def code(self):
        return code_of(self.product, "acme", self.jwt_app, self.browser)

    def interaction(self):
        """Somebody's sign-in under way: its number and the browser it belongs to."""
        with Browser() as browser:
            page = browser.open(self.product.authorize_url("acme", self.jwt_app))
            (txn,) = parse_qs(urlsplit(page.url).query)["txn"]
            return txn, browser.cookie(page.url, "insula_browser")


@pytest.fixture(scope="module")
def acme(product):
    acme = Acme(product)
    yield acme
    acme.registrar.switch(registration="off")


@pytest.fixture(scope="module")
def globex(product):
    globex = Globex(product)
    yield globex
    globex.registrar.switch(registration="off")


def unknown_jwt(of):
    """A token with the same claims and header, signed by a key that is nobody's."""
    header = jwt.get_unverified_header(of)
    claims = jwt.decode(of, options={"verify_signature": False})
    key = jwt.algorithms.ECAlgorithm.from_jwk(NOBODYS_KEY)
    return jwt.encode(claims, key, algorithm="ES256", headers=header)


NOBODYS_KEY = (
    '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
    '"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}'
)


# --- cases: for one route, pairs of requests with Acme's value and with one that nobody made


def asked_for(client_id):
    """The parameters of an authorization request."""
    return {
        "client_id": client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "s",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }


def client_ids(method):
    where = "form" if method == "POST" else "query"

    def pairs(acme, _globex):
        yield tuple(
            Request(method, paths.AUTHORIZE, **{where: asked_for(c)})
            for c in (acme.jwt_app.client_id, value("cl"))
        )

    return pairs


def authorize(acme, globex):
    yield from client_ids("GET")(acme, globex)
    asked = {**asked_for(globex.app.client_id), "prompt": "none"}
    foreign = acme.cookie("insula_session")
    nobodys = f"{uuid4().hex}.{secrets.token_urlsafe(32)}"
    yield tuple(
        Request("GET", paths.AUTHORIZE, query=asked, cookies={"insula_session": c})
        for c in (foreign, nobodys)
    )
    here = globex.product.tenant_id("globex").hex  # the secret of Acme under Globex's name
    yield tuple(
        Request("GET", paths.AUTHORIZE, query=asked, cookies={"insula_session": f"{here}.{token}"})
        for token in (foreign.partition(".")[2], secrets.token_urlsafe(32))
    )
    hint = acme.tokens["id_token"]
    yield tuple(
        Request("GET", paths.AUTHORIZE, query={**asked, "id_token_hint": h})
        for h in (hint, unknown_jwt(hint))
    )
    with signed_in(globex.product, "globex", globex.app, globex.person) as visitor:
        session = visitor.cookie(globex.product.url("globex", "/"), "insula_session")
    yield tuple(
        Request(
            "GET", paths.AUTHORIZE, query={**asked, "id_token_hint": h},
            cookies={"insula_session": session},
        )
        for h in (hint, unknown_jwt(hint))
    )  # fmt: skip


def interactions(path, method="GET"):
    """An interaction of Acme, with the cookie of the browser that it belongs to."""

    def pairs(acme, _globex):
        txn, browser = acme.interaction()
        yield tuple(
            Request(method, path, query={"txn": t}, cookies={"insula_browser": browser})
            for t in (txn, str(uuid4()))
        )
        yield tuple(
            Request(method, path, query={"txn": txn}, cookies={"insula_browser": b})
            for b in (browser, secrets.token_urlsafe(32))
        )

    return pairs


def forms(path, **fields):
    """A form of Globex, its token valid, that is sent for an interaction of Acme."""

    def pairs(acme, globex):
        txn, _ = acme.interaction()
        with Browser() as browser:
            page = browser.open(globex.product.authorize_url("globex", globex.app))
            cookie = browser.cookie(page.url, "insula_browser")
            token = page.form.values["csrf_token"]
        yield tuple(
            Request(
                "POST", path, query={"txn": t}, cookies={"insula_browser": cookie},
                form={"csrf_token": token, **fields},
            )
            for t in (txn, str(uuid4()))
        )  # fmt: skip
        yield from tokens_of_forms(path, fields)(acme, globex)

    return pairs


def tokens_of_forms(path, fields):
    """A form of Acme, posted to Globex with the browser cookie that it was made for."""

    def pairs(acme, _globex):
        with Browser() as browser:
            page = browser.open(acme.product.authorize_url("acme", acme.jwt_app))
            cookie = browser.cookie(page.url, "insula_browser")
            token = page.form.values["csrf_token"]
            (txn,) = parse_qs(urlsplit(page.url).query)["txn"]
        yield tuple(
            Request(
                "POST", path, query={"txn": txn}, cookies={"insula_browser": cookie},
                form={"csrf_token": t, **fields},
            )
            for t in (token, secrets.token_urlsafe(32))
        )  # fmt: skip

    return pairs


def sessions(path):
    """Acme's session at Globex, beside one that nobody has."""

    def pairs(acme, globex):
        foreign = acme.cookie("insula_session")
        nobodys = f"{uuid4().hex}.{secrets.token_urlsafe(32)}"
        yield tuple(Request("GET", path, cookies={"insula_session": c}) for c in (foreign, nobodys))
        here = globex.product.tenant_id("globex").hex
        yield tuple(
            Request("GET", path, cookies={"insula_session": f"{here}.{t}"})
            for t in (foreign.partition(".")[2], secrets.token_urlsafe(32))
        )

    return pairs


def together(*kinds):
    def pairs(acme, globex):
        for kind in kinds:
            yield from kind(acme, globex)

    return pairs


def token(acme, globex):
    def post(form, auth=globex.auth):
        return Request("POST", paths.TOKEN, form=form, auth=auth)

    yield post(redemption(acme.code())), post(redemption(value("ac")))
    for kind in ("refresh_token", "id_token", "access_token"):
        theirs = acme.tokens[kind]
        nobodys = unknown_jwt(theirs) if kind != "refresh_token" else value("rt")
        yield tuple(
            post({"grant_type": "refresh_token", "refresh_token": t}) for t in (theirs, nobodys)
        )
    own = {"grant_type": "client_credentials"}
    known = (acme.jwt_app.client_id, acme.jwt_app.secret)
    unknown = (value("cl"), value("cs"))
    yield post(own, known), post(own, unknown)
    yield tuple(
        post({**own, "client_id": i, "client_secret": s}, None) for i, s in (known, unknown)
    )
    yield post({**own, "client_id": known[0]}, None), post({**own, "client_id": unknown[0]}, None)
    # Acme's secret for a client of Globex, and Acme's code by Acme's client here
    yield tuple(post(own, (globex.app.client_id, s)) for s in (known[1], unknown[1]))
    yield post(redemption(acme.code()), known), post(redemption(value("ac")), unknown)


def bearer(method):
    def pairs(acme, _globex):
        theirs = acme.tokens["access_token"]
        for mine, nobodys in (
            (theirs, unknown_jwt(theirs)),
            (acme.opaque, value("at")),
            (acme.tokens["id_token"], unknown_jwt(acme.tokens["id_token"])),
            (acme.tokens["refresh_token"], value("rt")),
        ):
            yield tuple(
                Request(method, paths.USERINFO, headers={"authorization": f"Bearer {t}"})
                for t in (mine, nobodys)
            )

    return pairs


def asked_about(path):
    def pairs(acme, globex):
        theirs = acme.tokens["access_token"]
        for mine, nobodys in (
            (theirs, unknown_jwt(theirs)),
            (acme.opaque, value("at")),
            (acme.tokens["refresh_token"], value("rt")),
            (acme.tokens["id_token"], unknown_jwt(acme.tokens["id_token"])),
        ):
            yield tuple(
                Request("POST", path, form={"token": t}, auth=globex.auth) for t in (mine, nobodys)
            )
        known = (acme.jwt_app.client_id, acme.jwt_app.secret)
        yield tuple(
            Request("POST", path, form={"token": theirs}, auth=auth)
            for auth in (known, (value("cl"), value("cs")))
        )

    return pairs


def logout(method):
    where = "form" if method == "POST" else "query"

    def pairs(acme, _globex):
        hint = acme.tokens["id_token"]
        yield tuple(
            Request(method, paths.LOGOUT, **{where: {"id_token_hint": h}})
            for h in (hint, unknown_jwt(hint))
        )
        yield tuple(
            Request(method, paths.LOGOUT, **{where: {"client_id": c}})
            for c in (acme.jwt_app.client_id, value("cl"))
        )
        foreign = acme.cookie("insula_session")
        yield tuple(
            Request(method, paths.LOGOUT, **{where: {"state": "s"}}, cookies={"insula_session": c})
            for c in (foreign, f"{uuid4().hex}.{secrets.token_urlsafe(32)}")
        )

    return pairs


def authenticated(path, form):
    """Acme's client, with its own secret, where clients prove themselves."""

    def pairs(acme, _globex):
        known = (acme.jwt_app.client_id, acme.jwt_app.secret)
        for auth in (known, (known[0], value("cs"))):
            yield tuple(
                Request("POST", path, form=form(a[0]), auth=a)
                for a in (auth, (value("cl"), value("cs")))
            )

    return pairs


def registering(acme, _globex):
    """A token that lets register at Acme."""
    yield tuple(
        Request("POST", paths.REGISTER, json={"redirect_uris": [CALLBACK]}, headers=by(t))
        for t in (acme.initial_token(), value("iat"))
    )


def by(token):
    return {"authorization": f"Bearer {token}"}


def managed(method):
    """A client that registered itself at Acme, by its own token and by that of a neighbour."""

    def pairs(acme, globex):
        def at(client_id, token):
            body = {"redirect_uris": [CALLBACK], "client_id": client_id}
            return Request(
                method,
                f"{paths.REGISTER}/{client_id}",
                json=body if method == "PUT" else None,
                headers=by(token),
                route=f"{paths.REGISTER}/{{name}}",
            )

        theirs, ours = acme.registered(), globex.registered()
        yield at(*theirs), at(value("cl"), value("rat"))
        yield at(theirs[0], ours[1]), at(value("cl"), ours[1])
        yield at(ours[0], theirs[1]), at(ours[0], value("rat"))

    return pairs


def logos(acme, _globex):
    """A logo of a client of Acme."""
    product, digest = acme.product, secrets.token_bytes(32)
    product.change(
        "insert into insula.client_logos (tenant_id, client_id, digest, image)"
        " values (%s, %s, %s, 'image') on conflict (tenant_id, client_id)"
        " do update set digest = excluded.digest",
        product.tenant_id("acme"),
        acme.jwt_app.id,
        digest,
    )
    yield tuple(
        Request("GET", f"{LOGOS}/{name}.png", route=f"{LOGOS}/{{name}}")
        for name in (digest.hex(), secrets.token_hex(32))
    )


def images(acme, _globex):
    """An image that Acme has uploaded."""
    digest = secrets.token_bytes(32)
    acme.product.change(
        "insert into insula.assets (tenant_id, kind, media_type, digest, image, width, height,"
        " kept_until) values (%s, 'favicon', 'image/png', %s, 'image', 1, 1, '2999-01-01')",
        acme.product.tenant_id("acme"),
        digest,
    )
    for headers in ({}, {"if-none-match": f'"{digest.hex()}"'}):
        yield tuple(
            Request("GET", f"/img/{name}", route="/img/{digest}", headers=headers)
            for name in (digest.hex(), secrets.token_hex(32))
        )


def looks(acme, globex):
    """The style sheet of Acme."""
    with httpx2.Client(base_url=acme.product.server.url) as http:
        page = http.get(
            "/nothing", headers={"host": acme.product.server.host("acme"), "accept": "text/html"}
        )
    (theirs,) = set(re.findall(r"/branding/[0-9a-f]+\.css", page.text))
    own = globex.send(Request("GET", "/nothing", headers={"accept": "text/html"})).text
    assert theirs not in own
    yield tuple(
        Request("GET", path, route="/branding/{name}.css")
        for path in (theirs, f"/branding/{secrets.token_hex(6)}.css")
    )


def device_codes(acme, globex):
    """The code of a device of Acme, typed by somebody of Globex."""
    device = Television(Api(acme.product, "acme", make_tv(acme.product, "acme")))
    with Browser() as browser:
        page = browser.open(globex.product.url("globex", "/device"))
        page = browser.sign_in(page, globex.product.person("globex"))
        assert page.path == "/device"
        cookies = {
            name: browser.cookie(page.url, name) for name in ("insula_session", "insula_browser")
        }
        token = page.form.values["csrf_token"]

    def post(user_code, **fields):
        form = {"csrf_token": token, "user_code": user_code, **fields}
        return Request("POST", "/device", form=form, cookies=cookies, said=user_code)

    nobodys = "BCDF-GHJK"
    assert nobodys != device.user_code
    for decided in ({}, {"allow": "1"}):
        yield tuple(post(code, **decided) for code in (device.user_code, nobodys))


def activation_links(method):
    """A living link of Acme's at Globex, where a form of its own was valid."""

    def pairs(acme, globex):
        url = acme.product.activation_url("acme", acme.product.newcomer("acme"))
        token = parse_qs(urlsplit(url).query)["token"][0]
        with Browser() as browser:
            page = browser.open(globex.product.authorize_url("globex", globex.app))
            cookies = {"insula_browser": browser.cookie(page.url, "insula_browser")}
            csrf_token = page.form.values["csrf_token"]
        form = None
        if method == "POST":
            form = {"csrf_token": csrf_token, "new_password": LONG, "repeat": LONG}
        yield tuple(
            Request(method, "/sign-in/activate", query={"token": t}, cookies=cookies, form=form)
            for t in (token, value("al"))
        )

    return pairs


def admins(method, path, **fields):
    """Acme's administrator at Globex, with the form of their own session."""

    def pairs(acme, _globex):
        form = {"csrf_token": acme.admin_form, **fields} if method == "POST" else None
        for accept in ("text/html", "application/json"):
            yield tuple(
                Request(
                    method, path, form=form, cookies={"insula_admin": c}, headers={"accept": accept}
                )
                for c in (acme.admin_cookie, secrets.token_urlsafe(32))
            )

    return pairs


def admin_names(acme, globex):
    """Acme's administrator, by name and password, at the administrators' door of Globex."""
    with Browser() as browser:
        page = browser.open(globex.product.url("globex", "/admin/sign-in"))
        cookies = {"insula_browser": browser.cookie(page.url, "insula_browser")}
        token = page.form.values["csrf_token"]

    def post(username, csrf_token):
        form = {"username": username, "password": acme.admin.password, "csrf_token": csrf_token}
        return Request("POST", "/admin/sign-in", form=form, cookies=cookies, said=username)

    yield post(acme.admin.username, token), post(acme.admin.username[::-1], token)
    yield tuple(post(acme.admin.username, t) for t in (acme.admin_form, secrets.token_urlsafe(32)))


def proofs(acme, _globex):
    """The file that proves a domain of Acme, asked for at Globex."""
    product, host = acme.product, f"login.{secrets.token_hex(6)}.example"
    wish = Wish(host, vouched="a test")
    domain = product.backstage.run(lambda here: domains.add(here.platform, "acme", wish))
    route = login_domains.file_path("{token}")
    yield tuple(
        Request("GET", login_domains.file_path(token), route=route)
        for token in (domain.token, secrets.token_hex(20))
    )


def nothing(_acme, _globex):
    """A public document: it takes no value of anybody's."""
    return ()


CASES = {
    **{("GET", path): nothing for path in DOCUMENTS},
    ("GET", login_domains.file_path("{token}")): proofs,
    ("GET", paths.AUTHORIZE): authorize,
    ("POST", paths.AUTHORIZE): client_ids("POST"),
    ("GET", paths.RESUME): together(interactions(paths.RESUME), sessions(paths.RESUME)),
    ("POST", paths.TOKEN): token,
    ("GET", paths.USERINFO): bearer("GET"),
    ("POST", paths.USERINFO): bearer("POST"),
    ("POST", paths.INTROSPECT): asked_about(paths.INTROSPECT),
    ("POST", paths.REVOKE): asked_about(paths.REVOKE),
    ("POST", paths.PAR): authenticated(paths.PAR, asked_for),
    ("POST", paths.DEVICE): authenticated(paths.DEVICE, lambda _: {"scope": "openid"}),
    ("POST", paths.REGISTER): registering,
    **{(m, f"{paths.REGISTER}/{{name}}"): managed(m) for m in BELOW[paths.REGISTER].methods},
    ("GET", paths.LOGOUT): logout("GET"),
    ("POST", paths.LOGOUT): logout("POST"),
    ("GET", "/"): sessions("/"),
    ("GET", f"{LOGOS}/{{name}}"): logos,
    ("GET", "/img/{digest}"): images,
    ("GET", "/sign-in"): together(interactions("/sign-in"), sessions("/sign-in")),
    ("POST", "/sign-in"): forms("/sign-in", username="ada", password="x"),  # noqa: S106
    ("GET", "/sign-in/new-password"): interactions("/sign-in/new-password"),
    ("POST", "/sign-in/new-password"): forms("/sign-in/new-password", new_password="x", repeat="x"),  # noqa: S106
    ("GET", "/sign-in/activate"): activation_links("GET"),
    ("POST", "/sign-in/activate"): activation_links("POST"),
    ("GET", "/sign-in/select-account"): together(
        interactions("/sign-in/select-account"), sessions("/sign-in/select-account")
    ),
    ("POST", "/sign-in/select-account"): forms("/sign-in/select-account", account=str(uuid4())),
    ("GET", "/sign-in/consent"): interactions("/sign-in/consent"),
    ("POST", "/sign-in/consent"): forms("/sign-in/consent", allow="1"),
    ("GET", "/branding/{name}.css"): looks,
    ("GET", "/device"): sessions("/device"),
    ("POST", "/device"): device_codes,
    ("GET", "/admin/sign-in"): admins("GET", "/admin/sign-in"),
    ("POST", "/admin/sign-in"): admin_names,
    ("GET", "/admin"): admins("GET", "/admin"),
    ("GET", "/admin/session"): admins("GET", "/admin/session"),
    ("GET", "/admin/step-up"): admins("GET", "/admin/step-up"),
    ("POST", "/admin/step-up"): admins("POST", "/admin/step-up", password="x"),  # noqa: S106
    ("POST", "/admin/theme"): admins("POST", "/admin/theme", theme="dark"),
    ("POST", "/admin/sign-out"): admins("POST", "/admin/sign-out"),
    ("GET", "/sign-in/out"): together(interactions("/sign-in/out"), sessions("/sign-in/out")),
    ("POST", "/sign-in/out"): forms("/sign-in/out", sign_out="1"),
}


def route_table():
    """Every method and path that a tenant's host answers, but for the API's and the platform's."""
    return set().union(*(ADDRESSES[each] for each in ("proofs", "protocol", "pages", "branding")))


def test_every_route_has_its_case():
    assert set(CASES) == route_table()


@pytest.mark.parametrize("route", sorted(CASES), ids=" ".join)
def test_what_is_acmes_is_unknown_at_globex(acme, globex, route):
    n = 0
    for foreign, unknown in CASES[route](acme, globex):
        assert (foreign.method, foreign.route or foreign.path) == route
        theirs, nobodys = globex.send(foreign), globex.send(unknown)
        assert seen(theirs, foreign.said) == seen(nobodys, unknown.said)
        assert theirs.status_code != 500
        n += 1
    assert n or CASES[route] is nothing


def test_and_everything_still_works_at_home(acme, globex):
    """Whatever was tried at Globex has spent, ended and locked nothing of Acme."""
    for route, case in CASES.items():
        for foreign, _ in case(acme, globex):
            assert globex.send(foreign).status_code != 500, route

    assert acme.api.is_active(acme.tokens["access_token"])
    assert acme.api.is_active(acme.tokens["refresh_token"])
    assert acme.api.userinfo(acme.opaque).status_code == 200
    code = acme.code()
    globex.send(Request("POST", paths.TOKEN, form=redemption(code), auth=globex.auth))
    assert acme.api.redeem(code).status_code == 200
    assert acme.browser.get(acme.product.url("acme", "/")).status_code == 200


def test_the_visit_of_a_foreign_session_is_recorded_where_it_was_made(acme, globex):
    before = len(globex.product.audit("globex", "session.tenant_conflict"))

    answer = globex.send(
        Request("GET", "/", cookies={"insula_session": acme.cookie("insula_session")})
    )

    assert "insula_session=; " in answer.headers["set-cookie"]
    assert len(globex.product.audit("globex", "session.tenant_conflict")) == before + 1
