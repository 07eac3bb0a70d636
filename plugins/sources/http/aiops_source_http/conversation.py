"""One connection: requests in, answers out, each within its time."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

import h11

from aiops_source_http.answers import Answer, accepted, refused
from aiops_source_http.bodies import Body, too_large
from aiops_source_http.intake import Delivery
from aiops_source_http.records import Records, Refusal
from aiops_source_http.routes import Route, route

IDLE = 75.0
"""Seconds a connection may be silent between requests."""
HEAD = 10.0
"""Seconds the head of a request may take to arrive."""
LINGER = 1.0
"""Seconds to let a sender notice that its body is not wanted."""
_LONGEST_HEAD = 16 * 1024
_READ = 64 * 1024

Event = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class Host(Protocol):
    """What a conversation needs from its server."""

    token: str
    max_body: int
    timeout: float

    def check_open(self) -> None:
        """Raise Refusal when the server is stopping."""

    def check_room(self, size: int) -> None:
        """Raise Refusal when so many more bytes cannot wait."""

    def reserve(self, size: int) -> None:
        """Count bytes that wait; raise Refusal when there are too many."""

    def release(self, size: int) -> None:
        """Count bytes that wait no longer."""

    async def parse(self, read: Callable[[bytes], Records], body: bytes) -> Records:
        """Read a body without holding up other connections."""

    async def keep(self, delivery: Delivery) -> None:
        """Return once the lines are on disk; raise Refusal when that cannot be."""

    def was_refused(self, refusal: Refusal, peer: str) -> None:
        """Learn of a request that was not taken."""


class Conversation:
    """Serve one connection until it ends; ``is_idle`` between requests."""

    def __init__(
        self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str
    ) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer
        self._peer = peer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)
        self.is_idle = True

    async def run(self) -> None:
        """Answer one request after the other."""
        try:
            while await self._exchange():
                self._http.start_next_cycle()
        except (OSError, TimeoutError, ssl.SSLError, asyncio.IncompleteReadError):
            pass  # the sender went away, and knows it got no answer
        finally:
            self._writer.close()

    async def _exchange(self) -> bool:
        """Answer one request; return whether another may follow."""
        try:
            request = await self._head()
            if request is None:
                return False
            answer = await self._answer(request)
        except h11.RemoteProtocolError as error:
            answer = refused(Refusal("this is no proper HTTP request", error.error_status_hint))
        return await self._send(answer)

    async def _head(self) -> h11.Request | None:
        """Return the head of the next request; None when none comes any more."""
        self.is_idle = True
        if not self._http.trailing_data[0]:
            async with asyncio.timeout(IDLE):
                self._http.receive_data(await self._reader.read(_READ))
        self.is_idle = False
        try:
            async with asyncio.timeout(HEAD):
                event = await self._next()
        except TimeoutError:
            raise h11.RemoteProtocolError("the head takes too long", 408) from None
        return event if isinstance(event, h11.Request) else None

    async def _next(self) -> Event:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(_READ))
        return event

    async def _answer(self, request: h11.Request) -> Answer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        is_protobuf = "protobuf" in headers.get("content-type", "")
        size = 0
        try:
            how = self._admit(request, headers)
            await self._continue()
            body = Body(self._host.max_body, is_gzip=how.is_gzip)
            try:
                async with asyncio.timeout(self._host.timeout):
                    while (data := await self._more()) is not None:
                        body.add(data)
                        self._host.reserve(len(body) - size)
                        size = len(body)
            except TimeoutError:
                raise Refusal("the body takes too long to arrive", 408) from None
            records = await self._host.parse(how.read, body.finish())
            if records.lines:
                await self._host.keep(self._delivery(records, headers.get("idempotency-key", "")))
            return accepted(records)
        except Refusal as refusal:
            self._host.was_refused(refusal, self._peer)
            return refused(refusal, is_protobuf=is_protobuf)
        finally:
            self._host.release(size)

    def _admit(self, request: h11.Request, headers: dict[str, str]) -> Route:
        """Return how the body is to be read; raise Refusal before any of it is."""
        how = route(
            request.method.decode("latin-1"),
            request.target.decode("latin-1"),
            headers,
            token=self._host.token,
            limit=self._host.max_body,
        )
        self._host.check_open()
        if "content-length" not in headers and "transfer-encoding" not in headers:
            raise Refusal("say how long the body is, or send it chunked", 411)
        size = int(headers.get("content-length", "0"))
        if size > self._host.max_body:
            raise too_large(self._host.max_body)
        self._host.check_room(size)
        return how

    async def _continue(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            await self._write(h11.InformationalResponse(status_code=100, headers=[]))

    async def _more(self) -> bytes | None:
        """Return the next piece of the body, None after the last."""
        event = await self._next()
        return bytes(event.data) if isinstance(event, h11.Data) else None

    def _delivery(self, records: Records, key: str) -> Delivery:
        lines = bytes(records.lines)
        digest = hashlib.blake2b(lines, key=hashlib.sha256(key.encode()).digest(), digest_size=16)
        content = hashlib.blake2b(lines, key=self._peer.encode()[:64], digest_size=16)
        return Delivery(lines, self._peer, digest.hexdigest() if key else "", content.hexdigest())

    async def _send(self, answer: Answer) -> bool:
        """Send an answer; return whether the connection may go on."""
        is_whole = self._http.their_state not in (h11.IDLE, h11.SEND_BODY, h11.ERROR)
        headers = [("Content-Type", answer.kind), ("Content-Length", str(len(answer.body)))]
        headers += answer.headers.items()
        if not is_whole or answer.status == 503:
            headers.append(("Connection", "close"))
        await self._write(
            h11.Response(status_code=answer.status, headers=headers, reason=HTTPStatus(answer.status).phrase),
            h11.Data(data=answer.body),
            h11.EndOfMessage(),
        )
        if not is_whole:
            await self._let_go()
        return self._http.our_state is h11.DONE

    async def _write(self, *events: h11.Event) -> None:
        data = b"".join(self._http.send(event) or b"" for event in events)
        self._writer.write(data)
        async with asyncio.timeout(self._host.timeout):
            await self._writer.drain()

    async def _let_go(self) -> None:
        """Let the rest of an unwanted body come, so that the answer is not lost to a reset."""
        with contextlib.suppress(TimeoutError, OSError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(LINGER):
                while await self._reader.read(_READ):
                    pass
