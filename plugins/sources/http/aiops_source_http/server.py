"""The network thread: connections within bounds, and the way from a request to the disk."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiops_source_http.conversation import Conversation
from aiops_source_http.intake import Delivery, Intake
from aiops_source_http.records import Records, Refusal
from aiops_source_http.reports import Reports

TICK = 1.0
HANDSHAKE = 10.0
COMMIT = 30.0
"""Seconds a request waits for the disk."""
_FAREWELL = 1.0
_SMALL = 64 * 1024
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class Server:
    """Serve one bound socket in a thread of its own until it is stopped."""

    def __init__(
        self,
        bound: socket.socket,
        intake: Intake,
        reports: Reports,
        *,
        tls: ssl.SSLContext | None,
        token: str,
        max_body: int,
        backlog: int,
        timeout: float,
        connections: int,
    ) -> None:
        self.token = token
        self.max_body = max_body
        self.timeout = timeout
        self.failure: Exception | None = None
        self._socket = bound
        self._intake = intake
        self._reports = reports
        self._tls = tls
        self._backlog = backlog
        self._most = connections
        self._waiting = 0
        self._is_draining = False
        self._conversations: dict[asyncio.Task[None], Conversation | None] = {}
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        self._parser = ThreadPoolExecutor(1, "http-parse")
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def drain(self) -> None:
        """Take no more requests; those under way are answered when they are committed."""
        self._is_draining = True

    def stop(self) -> None:
        """Answer what waits with 503, close everything and wait for the thread."""
        self._is_draining = True
        self._call(self._ending.set)
        self._thread.join(5)

    # What conversations ask for.

    def check_open(self) -> None:
        """Raise Refusal when the server is stopping."""
        if self._is_draining:
            raise _stopping()

    def check_room(self, size: int) -> None:
        """Raise Refusal when so many more bytes cannot wait."""
        if self._waiting + size > self._backlog:
            raise Refusal("too much waits to be written to disk. Come back later", 429)

    def reserve(self, size: int) -> None:
        """Count bytes that wait; raise Refusal when there are too many."""
        self.check_room(size)
        self._waiting += size

    def release(self, size: int) -> None:
        """Count bytes that wait no longer."""
        self._waiting -= size

    async def parse(self, read: Callable[[bytes], Records], body: bytes) -> Records:
        """Read a body without holding up other connections."""
        if len(body) <= _SMALL:
            return read(body)
        return await self._loop.run_in_executor(self._parser, read, body)

    async def keep(self, delivery: Delivery) -> None:
        """Return once the lines are on disk; raise Refusal when that cannot be."""
        written = asyncio.Event()
        delivery.done.append(done := lambda: self._call(written.set))
        carrier = self._intake.offer(delivery)
        if carrier is None:
            return
        waits = [asyncio.ensure_future(written.wait()), asyncio.ensure_future(self._ending.wait())]
        try:
            await asyncio.wait(waits, timeout=COMMIT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if written.is_set():
            return
        if self._ending.is_set():
            raise _stopping()
        self._intake.withdraw(carrier, done)
        raise Refusal("the records are not on disk yet. Send them again", 503)

    def was_refused(self, refusal: Refusal, peer: str) -> None:
        """Log what the operator should know; senders are told the rest."""
        if refusal.status in (401, 403):
            self._reports.tell(f"{{count}} refused: {refusal}. The last came from {{last}}.", "request", peer)
        elif refusal.status in (408, 413, 429):
            self._reports.tell(f"{{count}} refused: {refusal}.", "request")

    # The thread.

    def _call(self, function: Callable[[], None]) -> None:
        """Let the network thread call something; nothing when it has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001 - raised again by the thread that reads
            self.failure = error
        finally:
            self._parser.shutdown(wait=False, cancel_futures=True)
            self._loop.close()
            self._intake.close()

    async def _serve(self) -> None:
        tasks = [asyncio.create_task(self._accept()), asyncio.create_task(self._look_after())]
        ending = asyncio.create_task(self._ending.wait())
        done, _ = await asyncio.wait([*tasks, ending], return_when=asyncio.FIRST_COMPLETED)
        for task in [*tasks, ending]:
            task.cancel()
        await asyncio.gather(*tasks, ending, return_exceptions=True)
        self._socket.close()
        await self._part()
        for task in done - {ending}:
            task.result()

    async def _part(self) -> None:
        """Let answers under way go out, then end every conversation."""
        for task, conversation in list(self._conversations.items()):
            if conversation is None or conversation.is_idle:
                task.cancel()
        if self._conversations:
            await asyncio.wait(self._conversations, timeout=_FAREWELL)
        for task in list(self._conversations):
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self._reports.flush()

    async def _accept(self) -> None:
        while True:
            try:
                accepted, name = await self._loop.sock_accept(self._socket)
            except OSError as error:
                self._reports.tell(f"cannot accept a connection: {error.strerror}.")
                await asyncio.sleep(TICK)
                continue
            if len(self._conversations) >= self._most and not self._end_an_idle_one():
                self._refuse(accepted)
                continue
            peer = str(name[0]).removeprefix("::ffff:")
            task = self._loop.create_task(self._converse(accepted, peer))
            self._conversations[task] = None
            task.add_done_callback(self._has_ended)

    def _end_an_idle_one(self) -> bool:
        for task, conversation in self._conversations.items():
            if conversation is not None and conversation.is_idle:
                conversation.is_idle = False
                task.cancel()
                return True
        return False

    def _refuse(self, accepted: socket.socket) -> None:
        if self._tls is None:
            with contextlib.suppress(OSError):
                accepted.send(_BUSY)
        accepted.close()
        self._reports.tell(
            f"{{count}} refused: {self._most} are open. Allow more by the connections setting.", "connection"
        )

    def _has_ended(self, task: asyncio.Task[None]) -> None:
        self._conversations.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._reports.tell(f"{{count}} ended by {type(error).__name__}.", "connection")

    async def _converse(self, accepted: socket.socket, peer: str) -> None:
        reader = asyncio.StreamReader(loop=self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: protocol,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE if self._tls else None,
            )
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
            self._reports.tell(f"{{count}} failed before a request: {reason}.", "connection")
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        conversation = Conversation(self, reader, writer, peer)
        task = asyncio.current_task()
        if task is not None:
            self._conversations[task] = conversation
        await conversation.run()


def _stopping() -> Refusal:
    return Refusal("this receiver is stopping. Send it again", 503)
