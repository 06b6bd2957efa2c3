"""
Authorization requests as we read them and as pyoidc and idpyoidc do.

Requests are put together of variants of each parameter. Where the three come to different
conclusions, the variant that causes it is in `DISAGREEMENTS`, each looked at and judged; any
other difference is a defect of one of us, and fails.
"""

import asyncio
import warnings
from typing import NamedTuple
from urllib.parse import parse_qsl, quote_plus
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oidc_world import ADA, CALLBACK, CHALLENGE, World, build, ring_of

from insula.oidc.memory import Host
from insula.oidc.models import Features, Person, ResourceServer
from insula.oidc.signing import generate_key

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from idpyoidc.message.oidc import AuthorizationRequest as OfIdpyoidc
    from oic.oic.message import AuthorizationRequest as OfPyoidc

#: An API that a request may name.
API = "https://a.example/api"

OTHERS = {"pyoidc": OfPyoidc, "idpyoidc": OfIdpyoidc}
BOTH = frozenset(OTHERS)


class Judged(NamedTuple):
    """*strict* is who refuses, we or they; *whose* the libraries that the difference is with."""

    strict: str
    whose: frozenset[str]
    why: str


#: Every difference that was looked at, by the name of the variant that makes it.
DISAGREEMENTS = {
    "scope without openid": Judged(
        "they", BOTH, "OC-1: plain OAuth is served by the same endpoint; they speak OpenID alone"
    ),
    "offline without consent": Judged(
        "they", BOTH, "OC-18: offline_access that nobody decides on is dropped, never an error"
    ),
    "display unknown": Judged("they", BOTH, "OC-11: treated as page"),
    "max_age negative": Judged("we", BOTH, "OC-6: refused; they keep the number"),
    "max_age in words": Judged(
        "we", frozenset({"idpyoidc"}), "OC-6: refused; idpyoidc keeps the text"
    ),
    "none twice": Judged("they", BOTH, "a set of words: said twice it is still none alone"),
    "percent broken": Judged("we", BOTH, "not well formed, so refused; they keep it as it stands"),
    "not UTF-8": Judged("we", BOTH, "refused; they put U+FFFD in the place of what was sent"),
    "mode unknown": Judged("we", BOTH, "RM-1: refused; they hand any word on"),
    "state with a line end": Judged("we", BOTH, "a form_post would not return it as it came"),
    "state too long": Judged("we", BOTH, "protocol.md 0, rule 7: 2 KB"),
    "challenge in plain": Judged("we", BOTH, "PK-1: they do not look at PKCE"),
    "challenge too short": Judged("we", BOTH, "PK-2: likewise"),
    "claims of a wrong kind": Judged("we", BOTH, "OC-13: each claim is null or an object"),
    "unknown response type": Judged("we", BOTH, "AZ-3: they hand any word on"),
}


def encoded(**parameters):
    return [f"{name}={quote_plus(value)}" for name, value in parameters.items()]


#: Each parameter with its variants: a name, and what stands in the query.
VARIANTS = {
    "response_type": {
        "code": encoded(response_type="code"),
        "code twice": encoded(response_type="code code"),
        "id_token": encoded(response_type="id_token"),
        "id_token token": encoded(response_type="id_token token"),
        "token id_token": encoded(response_type="token id_token"),
        "unknown response type": encoded(response_type="sing"),
        "no response type": [],
    },
    "redirect_uri": {
        "registered": encoded(redirect_uri=CALLBACK),
        "no redirect": [],
    },
    "scope": {
        "openid": encoded(scope="openid"),
        "openid profile": encoded(scope="openid profile"),
        "openid with spaces": encoded(scope=" openid  profile "),
        "openid and unknown": encoded(scope="openid unheard_of"),
        "scope without openid": encoded(scope="profile"),
        "offline without consent": encoded(scope="openid offline_access"),
        "no scope": [],
    },
    "state": {
        "state": encoded(state="abc"),
        "state with signs": encoded(state="a b+c&d=e%f;g/\u00e9"),
        "state empty": encoded(state=""),
        "state with a line end": encoded(state="a\nb"),
        "state too long": encoded(state="s" * 2049),
        "state twice": encoded(state="a") + encoded(state="b"),
        "no state": [],
    },
    "nonce": {
        "nonce": encoded(nonce="n-0S6_WzA2Mj"),
        "nonce empty": encoded(nonce=""),
        "no nonce": [],
    },
    "prompt": {
        "no prompt": [],
        "none": encoded(prompt="none"),
        "none twice": encoded(prompt="none none"),
        "none and login": encoded(prompt="none login"),
        "prompt unknown": encoded(prompt="sing"),
    },
    "max_age": {
        "no max_age": [],
        "max_age": encoded(max_age="3600"),
        "max_age empty": encoded(max_age=""),
        "max_age negative": encoded(max_age="-1"),
        "max_age in words": encoded(max_age="soon"),
    },
    "display": {
        "no display": [],
        "popup": encoded(display="popup"),
        "display unknown": encoded(display="hologram"),
    },
    "claims": {
        "no claims": [],
        "claims": encoded(
            claims='{"userinfo":{"name":{"essential":true}},"id_token":{"acr":null}}'
        ),
        "claims no JSON": encoded(claims="{"),
        "claims a list": encoded(claims="[]"),
        "claims of a wrong kind": encoded(claims='{"userinfo":{"name":"Ada"}}'),
    },
    "response_mode": {
        "no mode": [],
        "form_post": encoded(response_mode="form_post"),
        "mode unknown": encoded(response_mode="pigeon"),
    },
    "challenge": {
        "challenge": encoded(code_challenge=CHALLENGE, code_challenge_method="S256"),
        "challenge in plain": encoded(code_challenge=CHALLENGE),
        "challenge too short": encoded(code_challenge="short", code_challenge_method="S256"),
    },
    "more": {
        "nothing more": [],
        "unknown parameter": encoded(foo="bar"),
        "hints": encoded(login_hint="ada@x.example", ui_locales="de en", acr_values="1 2"),
        "name alone": ["foo"],
        "resource": encoded(resource=API),
        "percent broken": ["login_hint=%zz"],
        "not UTF-8": ["login_hint=%ff"],
    },
}


class Read(NamedTuple):
    """What came of reading a request; *fields* in the form that all can be compared in."""

    is_accepted: bool
    fields: dict
    why: str = ""


@pytest.fixture(scope="module")
def here():
    """An issuer that offers everything, an old application, and Ada's browser."""
    host = Host()
    ada = Person(uuid4(), ADA)
    ring = ring_of([generate_key("ES256")])
    provider = build(
        host,
        ring,
        features=Features(front_channel_tokens=True),
        resources={API: ResourceServer(API, "Orders")},
    )
    world = World(host, provider, ada)
    app = world.client(
        profile="legacy",
        consent="skip",
        response_types=frozenset({"code", "id_token", "id_token token"}),
        grant_types=frozenset({"authorization_code", "implicit"}),
        response_modes=frozenset({"query", "form_post", "fragment"}),
        scopes=frozenset({"openid", "profile", "offline_access"}),
        resources=frozenset({API}),
        id_token_signed_response_alg="ES256",  # noqa: S106  (an algorithm)
    )
    return world, app, world.signed_in()


async def ours(here, query):
    """Read by the authorization endpoint, with everybody signed in and nothing to ask."""
    world, _, browser = here
    answer = await browser.go("/oauth2/authorize", query.encode())
    if answer.status == 200:
        fields = answer.fields
    elif answer.status == 303:
        fields = dict(_back(answer.location))
    else:
        return Read(is_accepted=False, fields={}, why=answer.text)
    if "error" in fields:
        return Read(is_accepted=False, fields={}, why=fields["error_description"])
    said = {"state": fields.get("state")}
    if "code" in fields:
        kept = world.host.tokens.codes[fields["code"]].new.authorized
        said |= {"nonce": kept.nonce, "scope": kept.scopes}
    return Read(is_accepted=True, fields=said)


def _back(location):
    return parse_qsl(location.partition("?")[2] or location.partition("#")[2])


def theirs(library, query):
    try:
        message = OTHERS[library]().from_urlencoded(query)
        message.verify()
    except Exception as refusal:  # noqa: BLE001  (theirs are of many kinds)
        return Read(is_accepted=False, fields={}, why=repr(refusal))
    scopes = frozenset(message["scope"]) - {""}  # they keep what stood between two spaces
    return Read(
        is_accepted=True,
        fields={
            "state": message.get("state"),
            "nonce": message.get("nonce"),
            "scope": scopes - {"unheard_of", "offline_access"},
        },
    )


REQUESTS = st.fixed_dictionaries(
    {name: st.sampled_from(sorted(variants)) for name, variants in VARIANTS.items()}
)
#: One thing at a time: all else as it should be.
PLAIN = {name: next(iter(variants)) for name, variants in VARIANTS.items()}
EACH = [
    {**PLAIN, name: variant} for name, variants in VARIANTS.items() for variant in sorted(variants)
]


def compare(here, chosen, library):
    """Raise for a difference that nobody has judged; the judged ones that were seen."""
    query = "&".join(
        ["client_id=web"]
        + [part for name, variant in chosen.items() for part in VARIANTS[name][variant]]
    )
    we, they = asyncio.run(ours(here, query)), theirs(library, query)
    if we.is_accepted and they.is_accepted:
        same = {name: they.fields[name] for name in we.fields}
        assert we.fields == same, query
        return set()
    if we.is_accepted == they.is_accepted:
        return set()
    strict = "they" if we.is_accepted else "we"
    causes = {
        variant
        for variant in chosen.values()
        if variant in DISAGREEMENTS
        and DISAGREEMENTS[variant].strict == strict
        and library in DISAGREEMENTS[variant].whose
    }
    assert causes, f"{query}\n we: {we}\n {library}: {they}"
    return causes


@pytest.mark.parametrize("library", sorted(OTHERS))
@pytest.mark.parametrize("chosen", EACH, ids=lambda _: "")
def test_one_odd_parameter_is_read_alike_or_the_difference_is_judged(here, library, chosen):
    compare(here, chosen, library)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(chosen=REQUESTS)
@pytest.mark.parametrize("library", sorted(OTHERS))
def test_any_mixture_is_read_alike_or_the_difference_is_judged(here, library, chosen):
    compare(here, chosen, library)


@pytest.mark.parametrize("library", sorted(OTHERS))
def test_every_difference_that_was_judged_is_still_there(here, library):
    seen = set().union(*(compare(here, chosen, library) for chosen in EACH))

    assert seen == {name for name, judged in DISAGREEMENTS.items() if library in judged.whose}
