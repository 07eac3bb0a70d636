"""The program's end of a pipe: nobody who sends waits for a process that does not read."""

from __future__ import annotations

import socket
import threading
from collections import deque

from aiops_core.isolation.wire import Channel, Header, frame_of


class HostChannel(Channel):
    """Send at once what the pipe takes; a thread sends the rest, when there is some."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__(end)
        self._backlog: deque[memoryview] = deque()
        self.waiting = 0
        """Bytes that the other side has not taken yet."""

    def send(self, header: Header, body: bytes = b"") -> None:
        """Take a frame; raise OSError where nobody reads any more."""
        rest = memoryview(frame_of(header, body))
        with self._lock:
            if not self._backlog:
                rest = rest[self._sent(rest) :]
                if not rest:
                    return
                threading.Thread(target=self._send_rest, name="isolated-rest", daemon=True).start()
            self._backlog.append(rest)
            self.waiting += len(rest)

    def _sent(self, rest: memoryview) -> int:
        try:
            return self._end.send(rest, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def _send_rest(self) -> None:
        while True:
            with self._lock:
                if not self._backlog:
                    return
                first = self._backlog[0]
            try:
                self._end.sendall(first)
            except OSError:  # it is gone, which whoever waits for it sees
                return
            with self._lock:
                self._backlog.popleft()
                self.waiting -= len(first)
