"""The names under `localhost`, which browsers resolve and Python does not."""

import httpx2


class LocalhostTransport(httpx2.AsyncBaseTransport):
    """
    Send requests for `*.localhost` to 127.0.0.1 (RFC6761-6.3).

    The Host header was written before the request comes here and stays what it
    was, so the server sees the tenant that was asked for.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport | None = None) -> None:
        self._inner = inner or httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host.endswith(".localhost"):
            request.url = request.url.copy_with(host="127.0.0.1")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
