"""
The parameters of a request, parsed once.

An empty value is an absent one, a name sent twice is a refusal (RFC6749-3.1), and the
query and the body of one request count together.
"""

from collections import Counter

from insula.oidc.errors import InvalidRequest
from insula.oidc.http import MAX_QUERY, Pairs, Request, Response, see_other, with_query

#: What must never stand in an address, where logs and histories keep it (RFC9700-4.3).
_NEVER_IN_A_QUERY = frozenset(
    {
        "access_token",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "password",
        "refresh_token",
        "token",
    }
)

#: What RFC8707-2 and RFC8693-2.1 let a client repeat. Their values are URIs and names without
#: spaces, so several are kept as one, with spaces between.
_MAY_REPEAT = frozenset({"audience", "resource"})


class Parameters(dict[str, str]):
    """
    The parameters that were sent once and are not empty; *repeated* names the others.

    `resource` and `audience` may come several times and are words with spaces between.
    """

    __slots__ = ("repeated",)

    def __init__(self, pairs: Pairs) -> None:
        super().__init__(pairs)
        self.repeated: frozenset[str] = frozenset()
        if len(self) != len(pairs):
            repeated = {name for name, n in Counter(name for name, _ in pairs).items() if n > 1}
            for name in repeated:
                del self[name]
            for name in repeated & _MAY_REPEAT:
                self[name] = " ".join(value for key, value in pairs if key == name and value)
            self.repeated = frozenset(repeated - _MAY_REPEAT)
        for name in [name for name, value in self.items() if not value]:
            del self[name]

    def need(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise InvalidRequest(f"{name} is missing")
        return value


async def read_back_channel(request: Request) -> Parameters:
    """Read the form of a back-channel request, whose address may say nothing (RFC6749-3.2)."""
    pairs = await request.form()
    beside = {name for name, _ in request.query()}
    if beside & _NEVER_IN_A_QUERY or beside & {name for name, _ in pairs}:
        raise InvalidRequest("Parameters must be sent in the body, not in the address")
    parameters = Parameters(pairs)
    if parameters.repeated:
        raise InvalidRequest("A parameter was sent more than once")
    return parameters


async def read_front_channel(request: Request) -> Pairs:
    """Read what a browser brings, by GET or by a form."""
    if request.method == "GET":
        return request.query()
    return request.query() + await request.form()


def by_get(request: Request, pairs: Pairs, known: frozenset[str]) -> Response | None:
    """
    Answer a POST of another site with the same request by GET.

    Browsers keep `SameSite=Lax` cookies from such a POST, so nobody would be signed in
    here; on the GET that follows they send them.
    """
    is_foreign = (
        request.header(b"cookie") is None or request.header(b"sec-fetch-site") == "cross-site"
    )
    if request.method != "POST" or not is_foreign:
        return None
    address = with_query(request.path, [(name, value) for name, value in pairs if name in known])
    if len(address) > MAX_QUERY:
        raise InvalidRequest("The request is too long to be sent from another site by POST")
    return see_other(address)
