"""
The ASGI application of one issuer.

It is immutable: a change of configuration, keys or rules makes another one. It holds no
code, grant, session or token, so it may be dropped and built again at any moment.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from insula.kernel.errors import Unavailable
from insula.oidc import bearer, refusals
from insula.oidc import issuer as paths
from insula.oidc.artefacts import ActiveToken
from insula.oidc.cors import allow_caller, answer_preflight, is_preflight
from insula.oidc.endpoints import discovery, jwks
from insula.oidc.endpoints.authorize import authorize, resume
from insula.oidc.endpoints.device import authorize_device
from insula.oidc.endpoints.end_session import end_session
from insula.oidc.endpoints.introspect import introspect
from insula.oidc.endpoints.par import push
from insula.oidc.endpoints.register import manage, register
from insula.oidc.endpoints.revoke import revoke
from insula.oidc.endpoints.token import token
from insula.oidc.endpoints.userinfo import userinfo
from insula.oidc.errors import BearerError, OAuthError
from insula.oidc.features.scopes import STANDARD
from insula.oidc.http import (
    Header,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    json_answer,
    method_not_allowed,
)
from insula.oidc.issuer import Issuer
from insula.oidc.jose import Verifier
from insula.oidc.models import Client, Features, Lifetimes, ResourceServer
from insula.oidc.ports import Clients, Devices, Pages, People, Registrations, Requests, Tokens
from insula.oidc.sightings import Blind, Sightings, note_fetch
from insula.oidc.signing import KeyRing


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One address of the issuer.

    *is_page* says who reads a refusal, a person or a program; *cors* who may read at all; *is_on*
    whether the issuer's switches offer it: what is off is not there.
    """

    answer: Callable[[Issuer, Request], Awaitable[Response]]
    methods: frozenset[str]
    is_page: bool = False
    cors: bool = False
    is_on: Callable[[Features], bool] = lambda _: True


_GET, _POST, _BOTH = frozenset({"GET"}), frozenset({"POST"}), frozenset({"GET", "POST"})
_MANAGE = frozenset({"DELETE", "GET", "PUT"})

# fmt: off
ENDPOINTS: Mapping[str, Endpoint] = {
    paths.AUTHORIZE:  Endpoint(authorize,   _BOTH, is_page=True),
    paths.RESUME:     Endpoint(resume,      _GET,  is_page=True),
    paths.PAR:        Endpoint(push,        _POST, cors=True, is_on=lambda on: on.par),
    paths.TOKEN:      Endpoint(token,       _POST, cors=True),
    paths.USERINFO:   Endpoint(userinfo,    _BOTH, cors=True),
    paths.INTROSPECT: Endpoint(introspect,  _POST, is_on=lambda on: on.introspection),
    paths.REVOKE:     Endpoint(revoke,      _POST, cors=True, is_on=lambda on: on.revocation),
    paths.DEVICE:     Endpoint(authorize_device, _POST, cors=True, is_on=lambda on: on.device),
    paths.LOGOUT:     Endpoint(end_session, _BOTH, is_page=True),
    paths.REGISTER:   Endpoint(register,    _POST, is_on=lambda on: on.registration != "off"),
}
#: What stands one step below an address, each thing under its own name.
BELOW: Mapping[str, Endpoint] = {
    paths.REGISTER: Endpoint(manage, _MANAGE, is_on=lambda on: on.registration != "off"),
}
# fmt: on
#: What is the same for everybody, made once for each provider.
DOCUMENTS = (paths.OPENID_CONFIGURATION, paths.OAUTH_AUTHORIZATION_SERVER, paths.JWKS)


def addresses() -> list[tuple[str, str]]:
    """Method and path of everything that an issuer may offer, its switches aside."""
    below = {f"{path}/{{name}}": endpoint for path, endpoint in BELOW.items()}
    return [
        *(("GET", path) for path in DOCUMENTS),
        *(
            (method, path)
            for path, endpoint in {**ENDPOINTS, **below}.items()
            for method in sorted(endpoint.methods)
        ),
    ]


class Provider:
    """A whole OpenID provider: discovery, keys and the endpoints of one issuer."""

    __slots__ = ("_below", "_documents", "_endpoints", "_issuer", "_sightings")

    def __init__(  # noqa: PLR0913  (all that an issuer is)
        self,
        *,
        issuer: str,
        keys: KeyRing,
        lifetimes: Lifetimes,
        clients: Clients,
        people: People,
        tokens: Tokens,
        requests: Requests,
        registrations: Registrations,
        devices: Devices,
        pages: Pages,
        features: Features = Features(),  # noqa: B008  (a frozen value)
        scopes: Mapping[str, Sequence[str]] = STANDARD,
        resources: Mapping[str, ResourceServer] = MappingProxyType({}),
        locales: Sequence[str] = ("en",),
        acr_values: Sequence[str] = (),
        pairwise_key: bytes = b"",
        dpop_key: bytes = b"",
        sightings: Sightings | None = None,
    ) -> None:
        self._sightings = sightings or Blind()
        verifier = Verifier(issuer, keys)
        self._issuer = Issuer(
            url=issuer,
            keys=keys,
            verifier=verifier,
            lifetimes=lifetimes,
            clients=clients,
            people=people,
            tokens=tokens,
            requests=requests,
            registrations=registrations,
            devices=devices,
            pages=pages,
            features=features,
            scopes=scopes,
            resources=resources,
            locales=locales,
            acr_values=acr_values,
            pairwise_key=pairwise_key,
            dpop_key=dpop_key,
            sightings=self._sightings,
        )
        self._endpoints = {
            path: endpoint for path, endpoint in ENDPOINTS.items() if endpoint.is_on(features)
        }
        self._below = {path: below for path, below in BELOW.items() if below.is_on(features)}
        metadata = discovery.document(self._issuer)
        made = (metadata, metadata, jwks.document(self._issuer))
        self._documents = dict(zip(DOCUMENTS, made, strict=True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        document = self._documents.get(path)
        request = Request(scope, receive)
        if document is not None:
            if path == paths.JWKS:
                note_fetch(self._sightings, request)
            await document(scope, receive, send)
            return
        endpoint = self._endpoints.get(path) or self._below.get(_above(path))
        response = await self._answer(endpoint, request) if endpoint else _no_such()
        await response.send(send)

    async def admit(self, request: Request, audience: str) -> tuple[ActiveToken, Client]:
        """
        Tell who calls an API at this issuer's host, which is known by *audience*.

        Raises `BearerError`, `Unavailable`.
        """
        return await bearer.authorize_at(self._issuer, request, audience)

    def challenge(self, request: Request, refusal: BearerError) -> list[Header]:
        """Write the headers that go with such a refusal (RFC6750-3)."""
        said = refusals.as_challenge(self._issuer, request, refusal).headers
        return [pair for pair in said if pair[0] in {b"www-authenticate", b"dpop-nonce"}]

    def subject(self, client: Client, user_id: UUID) -> str:
        """Tell by which name a client knows a person (OIDCC-8)."""
        return self._issuer.subject(client, user_id)

    async def _answer(self, endpoint: Endpoint, request: Request) -> Response:
        try:
            if request.method not in endpoint.methods:
                if endpoint.cors and is_preflight(request):
                    return await answer_preflight(self._issuer, request, endpoint.methods)
                return method_not_allowed(endpoint.methods)
            response = await endpoint.answer(self._issuer, request)
        except Unavailable as away:
            response = self._refuse(endpoint, request, refusals.for_now(away))
        except OAuthError as refusal:
            response = self._refuse(endpoint, request, refusal)
        except BearerError as refusal:
            response = refusals.as_challenge(self._issuer, request, refusal)
        except Exception:  # noqa: BLE001  (the last resort: logged, and told as a reference)
            response = (
                refusals.bug_as_page(self._issuer, request)
                if endpoint.is_page
                else refusals.bug_as_json(request)
            )
        return allow_caller(request, response) if endpoint.cors else response

    def _refuse(self, endpoint: Endpoint, request: Request, refusal: OAuthError) -> Response:
        if request.client is not None:
            self._issuer.clients.note_refused(request.client, refusal.code)
        if endpoint.is_page:
            return refusals.as_page(self._issuer, request, refusal)
        return refusals.as_json(request, refusal)


def _above(path: str) -> str:
    """The address that *path* is one step below of; none where the step has no name."""
    above, _, name = path.rpartition("/")
    return above if name else ""


def _no_such() -> Response:
    """Tell a program: people do not type these addresses."""
    body = b'{"error":"not_found","error_description":"There is nothing at this address"}'
    return json_answer(body, 404)
