"""A wire that can be cut: a TCP relay in front of a server, for tests of outages."""

import asyncio
from contextlib import suppress


class Wire:
    """Relays one local port to a server; `cut` ends what is connected and refuses the rest."""

    def __init__(self, host, port):
        self._to = (host, port)
        self._server = None
        self._writers = set()
        self.port = None

    async def restore(self):
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port or 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _relay(self, reader, writer):
        there, back = await asyncio.open_connection(*self._to)
        self._writers |= {writer, back}
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    async def __aenter__(self):
        await self.restore()
        return self

    async def __aexit__(self, *_):
        await self.cut()


async def _copy(reader, writer):
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
