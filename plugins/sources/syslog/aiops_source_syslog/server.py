"""The network thread: accept connections, read datagrams, and hold senders back when behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Sequence

from aiops_source_syslog.addresses import Bound, peer_host
from aiops_source_syslog.connections import Connection, pass_on
from aiops_source_syslog.framing import Frame
from aiops_source_syslog.inbox import Inbox
from aiops_source_syslog.reports import Reports, dropped_by_system
from aiops_source_syslog.streams import Peers, Slots

TICK = 1.0
HANDSHAKE = 10.0
STUCK = 60.0
"""Seconds one message may take to arrive over TCP."""
IDLE = 60.0
"""Seconds of silence after which a connection may be closed for a new one."""
_LARGEST_DATAGRAM = 1 << 16
_DATAGRAMS_A_TURN = 256
_UDP_PEERS = 1024


class Server:
    """Serve the bound addresses in a thread of its own until it is stopped."""

    def __init__(
        self,
        bound: Sequence[Bound],
        inbox: Inbox,
        reports: Reports,
        *,
        tls: ssl.SSLContext | None,
        max_message: int,
        connections: int,
    ) -> None:
        self.inbox = inbox
        self.reports = reports
        self.max_message = max_message
        self._bound = bound
        self._tls = tls
        self._most = connections
        self._slots = Slots(connections)
        self._connections: dict[int, Connection] = {}
        self._peers = Peers(_UDP_PEERS)
        self._drops: dict[int, int] = {}
        self._is_paused = False
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin to listen."""
        self.inbox.on_room = self._room
        self._thread.start()

    def stop(self) -> None:
        """Close everything and wait for the thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(5)

    def pause(self) -> None:
        """Stop reading everywhere: connections are held back, datagrams pile up in the system."""
        if self._is_paused:
            return
        self._is_paused = True
        for connection in self._connections.values():
            connection.pause()
        for bound in self._udp():
            self._loop.remove_reader(bound.socket)

    def has_left(self, connection: Connection) -> None:
        """Forget a connection."""
        if self._connections.pop(connection.number, None) is not None:
            self._slots.give_back(connection.number)

    def _room(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._resume)

    def _resume(self) -> None:
        if not self._is_paused or self.inbox.is_full or self._ending.is_set():
            return
        self._is_paused = False
        for connection in self._connections.values():
            connection.resume()
        for bound in self._udp():
            self._loop.add_reader(bound.socket, self._read_datagrams, bound.socket)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001 - raised again by the thread that reads
            self.failure = error
        finally:
            self._loop.close()
            self.inbox.close()

    async def _serve(self) -> None:
        tasks = [
            asyncio.create_task(self._accept(bound)) for bound in self._bound if bound not in self._udp()
        ]
        tasks.append(asyncio.create_task(self._look_after()))
        for bound in self._udp():
            self._loop.add_reader(bound.socket, self._read_datagrams, bound.socket)
        ending = asyncio.create_task(self._ending.wait())
        done, _ = await asyncio.wait([*tasks, ending], return_when=asyncio.FIRST_COMPLETED)
        self._close()
        for task in [*tasks, ending]:
            task.cancel()
        await asyncio.gather(*tasks, ending, return_exceptions=True)
        self.reports.finish()
        for task in done - {ending}:
            task.result()

    def _close(self) -> None:
        for bound in self._udp():
            self._report_drops(bound)
        for bound in self._bound:
            self._loop.remove_reader(bound.socket)
            bound.socket.close()
        for connection in list(self._connections.values()):
            connection.close()

    def _udp(self) -> list[Bound]:
        return [bound for bound in self._bound if bound.address.transport == "udp"]

    async def _accept(self, bound: Bound) -> None:
        adopting: set[asyncio.Task[None]] = set()
        while True:
            try:
                accepted, name = await self._loop.sock_accept(bound.socket)
            except OSError as error:
                self.reports.tell(f"{bound.address}: cannot accept a connection: {error.strerror}.")
                await asyncio.sleep(TICK)
                continue
            number = self._number()
            if number is None:
                accepted.close()
                self.reports.tell(
                    f"{bound.address}: {{count}} refused: {self._most} are open. "
                    "Allow more by the connections setting.",
                    "connection",
                )
                continue
            connection = self._connections[number] = Connection(self, number, peer_host(name))
            task = asyncio.create_task(self._adopt(bound, accepted, connection))
            adopting.add(task)
            task.add_done_callback(adopting.discard)

    def _number(self) -> int | None:
        """Return a free number; when there is none, close a connection nobody uses."""
        if (number := self._slots.take()) is not None:
            return number
        open_ones = [one for one in self._connections.values() if one.transport is not None]
        idlest = min(open_ones, key=lambda one: one.heard, default=None)
        if idlest is None or time.monotonic() - idlest.heard < IDLE or self._is_paused:
            return None
        self.reports.tell("{count} closed to make room for new ones.", "silent connection")
        idlest.close()
        return None  # the next one that comes finds room

    async def _adopt(self, bound: Bound, accepted: socket.socket, connection: Connection) -> None:
        is_tls = bound.address.transport == "tls"
        try:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            await self._loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._tls if is_tls else None,
                ssl_handshake_timeout=HANDSHAKE if is_tls else None,
            )
        except (OSError, ssl.SSLError) as error:
            self.has_left(connection)
            reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
            self.reports.tell(f"{bound.address}: {{count}} failed before a message: {reason}.", "connection")

    def _read_datagrams(self, bound: socket.socket) -> None:
        for _ in range(_DATAGRAMS_A_TURN):
            if self.inbox.is_full:
                self.pause()
                return
            try:
                data, name = bound.recvfrom(_LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                continue  # an answer to a datagram nobody sent
            self._take_datagram(data, peer_host(name))

    def _take_datagram(self, data: bytes, peer: str) -> None:
        number, evicted = self._peers.number(peer)
        stream = f"udp/{number}"
        if evicted:
            self.inbox.end(stream, evicted)
        size = len(data)
        is_cut = size > self.max_message
        frame = Frame(data[: self.max_message], is_cut=is_cut, size=size if is_cut else 0)
        if data.strip(b"\0\r\n"):
            pass_on(self, stream, peer, frame)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            for connection in list(self._connections.values()):
                if connection.is_stuck(STUCK):
                    connection.close()
                    self.reports.tell(
                        f"{{count}} closed: a message took longer than {STUCK:g} s to arrive.", "connection"
                    )
            for bound in self._udp():
                self._report_drops(bound)
            self.reports.flush()

    def _report_drops(self, bound: Bound) -> None:
        inode = os.fstat(bound.socket.fileno()).st_ino
        total = dropped_by_system(inode)
        lost = total - self._drops.get(inode, 0)
        self._drops[inode] = total
        if lost > 0:
            self.reports.lose(
                f"{bound.address}: {{count}} lost: they came faster than they are read. "
                "Use tcp:// where no message may be lost.",
                "datagram",
                lost,
            )
