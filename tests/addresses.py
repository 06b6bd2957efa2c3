"""Every address of the application as it is put together, and when two answers are the same."""

import re
from uuid import uuid4

from serving import environment

from insula.platform import environment as variables
from insula.platform.app import addresses, assemble
from insula.platform.wiring import Wiring


def _read_off():
    """The table of the assembled application: nothing is opened for that, or asked for."""
    nowhere = "postgresql://{0}:{0}@127.0.0.1:1/insula"
    given = environment(nowhere.format("insula_app"), nowhere.format("insula_platform"), None, 8000)
    return addresses(assemble(Wiring(variables.load(given, env_file=None))))


#: Methods and paths, by who answers them.
ADDRESSES = _read_off()

#: The same for whoever asks, on any host: no tenant is needed and none is named.
OF_NOBODY = {("GET", "/health"), *ADDRESSES["static"]}
OF_TENANTS = sorted(
    set().union(*(ADDRESSES[each] for each in ("proofs", "protocol", "pages", "branding", "api")))
)
OF_PLATFORM = sorted(ADDRESSES["platform"])
OF_OPS = sorted(ADDRESSES["ops"] - OF_NOBODY)

_VALUES = {
    "section": "oidc.ttl",
    "number": "1",
    "job": "1",
    "slug": "nobody",
    "name": "0" * 12,
    "digest": "0" * 64,
}


def filled(path):
    """A path whose ids nobody has."""
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: _VALUES.get(found[1], str(uuid4())), path)


#: What is new in every answer.
_NEW = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"<time.*?</time>"), "<time>"),
    (re.compile(r'(?<=name="csrf_token" value=")[^"]+'), "<token>"),
    (re.compile(r"(?<=insula_browser=)[A-Za-z0-9_-]{43}"), "<browser>"),
    (re.compile(r"(?<=[?&;]code=)[^&]+"), "<code>"),
)


def without_the_new(text):
    for pattern, name in _NEW:
        text = pattern.sub(name, text)
    return text


def seen(answer, said=""):
    """An answer without what is new in every one, and without what the request itself said."""
    text = answer.text.replace(answer.headers.get("x-request-id", "-"), "<id>")
    if said:
        text = text.replace(said, "<said>")
    headers = [
        (name, without_the_new(value))
        for name, value in answer.headers.multi_items()
        if name not in ("date", "x-request-id", "content-length")
    ]
    return answer.status_code, headers, without_the_new(text)
