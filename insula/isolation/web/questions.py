"""
What is asked over HTTP: the one canary's material at the other's host.

Beside each question stands what proves its material: the same at home, where it must be good.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from insula.isolation.web.asking import Answer, Request, basic, bearer
from insula.isolation.web.material import BACK, STRANGER, Material
from insula.isolation.web.store import CLIENT_ID
from insula.kernel.ids import Kind, new_secret
from insula.oidc.features.pkce import s256
from insula.resource_servers.builtin import PATH as API

_DISCOVERY: Final = "/.well-known/openid-configuration"
_TOKEN, _INTROSPECT = "/oauth2/token", "/oauth2/introspect"
_OK: Final = 200
#: Answers that say nothing of whose something is.
_TOO_MANY, _BROKEN = 429, 500
#: Refusals of the token endpoint that only a proven application hears.
_BEHIND_THE_SECRET: Final = frozenset(
    {"invalid_grant", "unauthorized_client", "invalid_dpop_proof", "use_dpop_nonce"}
)


@dataclass(frozen=True, slots=True)
class Home:
    """A canary at its host, and how that host answers as a stranger finds it."""

    own: Material
    metadata: Answer
    #: The answer to a code that nobody was ever issued, and to a browser in which nobody signed in.
    unknown_code: Answer
    nobody: Answer


#: Who is asked, and whose material is brought.
Ask = Callable[[Home, Material], Request]
Judge = Callable[[Home, Material, Answer], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """
    One thing to ask.

    *lets_in* says of an answer that the material was good there. The same request at home proves
    it, unless *proof* and *is_proof* are another way that leaves no line in the record. *is_taken*
    says whether an installation takes such a request at all, as it has decided.
    """

    name: str
    ask: Ask
    lets_in: Judge
    proof: Ask | None = None
    is_proof: Judge | None = None
    is_taken: Callable[[Home], bool] = lambda _: True


def tells_nothing(answer: Answer) -> bool:
    """Whether nothing follows from an answer: the host was busy, or broke."""
    return answer.status == _TOO_MANY or answer.status >= _BROKEN


def metadata() -> Request:
    return Request(_DISCOVERY)


def made_up_code(own: Material) -> Request:
    return _spend(own, new_secret(Kind.CODE), {"redirect_uri": BACK})


def _spend(at: Material, code: str, more: Mapping[str, str]) -> Request:
    form = {"grant_type": "authorization_code", "code": code, **more}
    return Request(_TOKEN, form=form, headers=basic(CLIENT_ID, at.secret))


def _introspect(at: Material, token: str) -> Request:
    return Request(_INTROSPECT, form={"token": token}, headers=basic(CLIENT_ID, at.secret))


def _refresh(secret: str, token: str) -> Request:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return Request(_TOKEN, form=form, headers=basic(CLIENT_ID, secret))


def authorization(own: Material, session: str | None = None) -> Request:
    """
    Ask for a code as a browser with that session, or with none.

    The cookie is as this host would have written it: as the other's had, it is seen for what it is
    before anything is looked up.
    """
    query: Mapping[str, str] = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": BACK,
        "scope": "openid",
        "state": secrets.token_urlsafe(12),
        "nonce": secrets.token_urlsafe(12),
        "prompt": "none",
        "code_challenge": s256(secrets.token_urlsafe(48)),
        "code_challenge_method": "S256",
    }
    value = f"{own.canary.id.hex}.{session}"
    cookies = "; ".join(f"{name}={value}" for name in _SESSIONS) if session else ""
    return Request("/oauth2/authorize", query, headers={"cookie": cookies} if cookies else {})


#: By its name over https and over plain http, of which a host reads one.
_SESSIONS: Final = ("__Host-insula_session", "insula_session")


def _is_ok(_at: Home, _of: Material, answer: Answer) -> bool:
    return answer.status == _OK


def _is_active(_at: Home, _of: Material, answer: Answer) -> bool:
    return answer.status == _OK and answer.json.get("active") is True


def _is_own_place(at: Home, _of: Material, answer: Answer) -> bool:
    tenant = answer.json.get("tenant")
    return isinstance(tenant, dict) and tenant.get("id") == str(at.own.canary.id)


def _is_known_code(at: Home, _of: Material, answer: Answer) -> bool:
    """Whether a code is good, or refused in another way than one that nobody was ever issued."""
    error = answer.json.get("error")
    is_refused_otherwise = error == "invalid_grant" and answer.body != at.unknown_code.body
    return answer.status == _OK or is_refused_otherwise or error == "invalid_request"


def _is_let_in(_at: Home, _of: Material, answer: Answer) -> bool:
    """Whether the application has proven itself, whatever became of what it wanted."""
    return answer.status == _OK or answer.json.get("error") in _BEHIND_THE_SECRET


def _names(_at: Home, of: Material, answer: Answer) -> bool:
    return answer.json.get("issuer") == of.canary.issuer


def _spends(at: Home) -> bool:
    return at.unknown_code.json.get("error") == "invalid_grant"


def _knows_nobody(at: Home) -> bool:
    return at.nobody.onward.get("error") == "login_required"


def _introspects(at: Home) -> bool:
    return "introspection_endpoint" in at.metadata.json


QUESTIONS: Final = (
    Question("metadata", lambda _at, _of: metadata(), _names),
    Question(
        "opaque access token at userinfo",
        lambda _, of: Request("/oauth2/userinfo", headers=bearer(of.opaque)),
        _is_ok,
    ),
    Question(
        "access token at the API",
        lambda _, of: Request(f"{API}/me", headers=bearer(of.of_person)),
        _is_ok,
        is_proof=_is_own_place,
    ),
    Question(
        "access token for another API",
        lambda at, _: Request(f"{API}/me", headers=bearer(at.own.for_other)),
        _is_ok,
        proof=lambda at, _: Request(f"{API}/me", headers=bearer(at.own.of_person)),
    ),
    Question(
        "access token at introspection",
        lambda at, of: _introspect(at.own, of.of_person),
        _is_active,
        is_taken=_introspects,
    ),
    Question(
        "refresh token at introspection",
        lambda at, of: _introspect(at.own, of.refresh),
        _is_active,
        is_taken=_introspects,
    ),
    Question(
        "refresh token at the token endpoint",
        lambda at, of: _refresh(at.own.secret, of.refresh),
        _is_ok,
        proof=lambda at, of: _introspect(at.own, of.refresh),
        is_proof=_is_active,
        is_taken=lambda at: _introspects(at) and _spends(at),
    ),
    Question(
        "authorization code",
        lambda at, of: _spend(at.own, of.code, {"redirect_uri": BACK}),
        _is_known_code,
        # what is missing is told when a code lives, and uses it up no more than it is recorded
        proof=lambda at, of: _spend(at.own, of.code, {}),
        is_taken=_spends,
    ),
    Question(
        "session cookie",
        lambda at, of: authorization(at.own, of.session),
        lambda _at, _of, answer: "code" in answer.onward,
        is_taken=_knows_nobody,
    ),
    Question(
        "client's secret",
        # from elsewhere, since a wrong secret shuts its sender out for a while
        lambda _, of: replace(_refresh(of.secret, new_secret(Kind.REFRESH_TOKEN)), caller=STRANGER),
        _is_let_in,
        proof=lambda _, of: _refresh(of.secret, new_secret(Kind.REFRESH_TOKEN)),
    ),
    Question(
        "person's id in a path",
        lambda at, of: Request(f"{API}/users/{of.user}", headers=bearer(at.own.of_program)),
        _is_ok,
    ),
    Question(
        "application's id in a path",
        lambda at, of: Request(
            f"{API}/clients/{of.other_client}", headers=bearer(at.own.of_program)
        ),
        _is_ok,
    ),
)
