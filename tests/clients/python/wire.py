"""The wire between a client and the relay: what is said on it is kept, and it can be cut.

Bytes pass unchanged, so a client meets the relay itself; WebSocket frames are only read along.
"""

import asyncio
import contextlib
import json
import threading
from urllib.parse import urlsplit

CHUNK = 65_536


class Reader:
    """Text messages of one direction of a WebSocket connection, HTTP before it left out (RFC 6455, section 5.2)."""

    def __init__(self, told) -> None:
        self.told, self.bytes, self.message, self.opened = told, bytearray(), bytearray(), False

    def feed(self, data: bytes) -> None:
        self.bytes += data
        if not self.opened:
            head, end, rest = self.bytes.partition(b"\r\n\r\n")
            if not end or b"upgrade: websocket" not in head.lower():
                return
            self.opened, self.bytes = True, bytearray(rest)
        while frame := self.frame():
            first, payload = frame
            if first & 0x0F in (0, 1):  # continuation, text; the rest is control
                self.message += payload
                if first & 0x80:
                    self.told(json.loads(self.message))
                    self.message.clear()

    def frame(self) -> tuple[int, bytes] | None:
        """Takes a whole frame off the front."""
        if len(self.bytes) < 2:
            return None
        size, at = self.bytes[1] & 0x7F, 2
        if size > 125:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(self.bytes[at : at + width]), at + width
        mask = at if self.bytes[1] & 0x80 else None
        at += 0 if mask is None else 4
        if len(self.bytes) < at + size:
            return None
        first, payload = self.bytes[0], bytes(self.bytes[at : at + size])
        if mask is not None:
            key = (bytes(self.bytes[mask : mask + 4]) * (size // 4 + 1))[:size]
            payload = (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(size)
        del self.bytes[: at + size]
        return first, payload


class Wire:
    """A TCP proxy before the relay at `target`, in a thread of its own, so that any client may stand before it."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.received: list[list[dict]] = []  # events from the relay, a list a connection
        self.sent: list[list[dict]] = []  # ... and from the client
        self.dialled = 0
        self.open: set[asyncio.StreamWriter] = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> "Wire":
        self.thread.start()
        listening = asyncio.start_server(self.carry, "127.0.0.1", 0, limit=CHUNK)
        self.server = asyncio.run_coroutine_threadsafe(listening, self.loop).result(5)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_) -> None:
        asyncio.run_coroutine_threadsafe(self.close(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()

    async def close(self) -> None:
        self.server.close()
        self.drop()
        carrying = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*carrying, return_exceptions=True)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.dialled += 1
        relay_reader, relay_writer = await asyncio.open_connection(self.target.hostname, self.target.port)
        ends = {writer, relay_writer}
        self.open |= ends
        received, sent = [], []
        self.received.append(received)
        self.sent.append(sent)

        async def pump(source, sink, reads: Reader) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(CHUNK):
                    reads.feed(data)
                    sink.write(data)
                    await sink.drain()
            sink.close()

        up = pump(reader, relay_writer, Reader(sent.append))
        down = pump(relay_reader, writer, Reader(received.append))
        await asyncio.gather(up, down)
        self.open -= ends

    def cut(self) -> None:
        """Drops every open connection at both ends, without a word of the WebSocket protocol."""
        self.loop.call_soon_threadsafe(self.drop)

    def drop(self) -> None:
        for writer in self.open:
            writer.transport.abort()

    @property
    def events(self) -> list[dict]:
        """Everything the relay said, connection after connection."""
        return [event for connection in self.received for event in connection]

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]
