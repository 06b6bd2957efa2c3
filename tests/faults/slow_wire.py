"""A wire to a server that takes its time: a TCP relay in a thread, for tests of slow databases."""

import asyncio
import threading
from contextlib import suppress


class SlowWire:
    """Relays one local port; `delay` seconds pass before each piece goes on towards the server."""

    def __init__(self, host, port):
        self._to = (host, port)
        self.delay = 0.0
        self.port = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self):
        self._thread.start()
        self._ready.wait(5)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._relay, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _relay(self, reader, writer):
        try:
            there, back = await asyncio.open_connection(*self._to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            self._copy(reader, back, slow=True), self._copy(there, writer, slow=False)
        )

    async def _copy(self, reader, writer, *, slow):
        with suppress(OSError):
            while data := await reader.read(65536):
                if slow and self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        writer.close()
