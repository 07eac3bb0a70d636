"""The process of one component as the program sees it: begun, asked, ended, begun again."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import IO, Protocol

from aiops_core.errors import PluginBroken, ProcessEnded
from aiops_core.isolation.nursery import Nursery
from aiops_core.isolation.sending import HostChannel
from aiops_core.isolation.terms import STOPPED_FOR_MEMORY, Order
from aiops_core.isolation.wire import Header, NoMessage, dump_error, load_error
from aiops_core.plain import to_plain
from aiops_core.records import Json

Ask = Callable[..., Json]
"""How the host answers what a component asks for during a call."""
_TICK = 0.25
_GRACE = 5.0
_LONGEST_LINE = 2_000
_CLOSED = 0.5
"""Seconds that a process which closed its pipe has to end."""
_MOST_WAITING = 1 << 20
"""Bytes that a process may leave unread before it counts as hung."""


class Stopping(Protocol):
    """What says that a run ends."""

    def is_set(self) -> bool: ...


class Worker:
    """One child process: ``call`` asks it, ``kill`` ends it; it never outlives its pipe.

    ``heard`` gets what belongs to no call: lines of its log, faults, news of addresses.
    """

    def __init__(
        self, order: Order, nursery: Nursery, logger: logging.Logger, heard: Callable[[Header], None]
    ) -> None:
        self._logger = logger
        self._heard = heard
        self._memory = order.memory
        self._numbers = count(1)
        self._calls: dict[int, queue.SimpleQueue[tuple[Header, bytes] | None]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._why = ""
        self._is_told_to_stop = False
        self.began = time.monotonic()
        self.took_too_long = False
        """Whether it was ended over a call that took longer than it may."""
        ours, theirs = socket.socketpair()
        self._channel = HostChannel(ours)
        written, errors = os.pipe()
        try:
            self._process = nursery.begin(theirs, errors)
        finally:
            theirs.close()
            os.close(errors)
        for work, given in ((self._listen, ()), (self._pass_on, (os.fdopen(written, "rb"),))):
            threading.Thread(target=work, args=given, name="isolated", daemon=True).start()
        self._channel.send({"order": to_plain(order), "path": sys.path})

    @property
    def is_gone(self) -> bool:
        """Whether there is no process any more."""
        return self._ended.is_set()

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end, or ended."""
        return bool(self._why)

    @property
    def why(self) -> str:
        """Why it ended."""
        return self._why

    def call(
        self,
        name: str,
        arguments: Json,
        *,
        seconds: float,
        stopping: Stopping,
        asks: Mapping[str, Ask] | None = None,
    ) -> Json:
        """Return what a call gives; raise what it raises, PluginBroken when it takes too long, ProcessEnded when it dies."""
        for header, _ in self.follow(name, arguments, seconds=seconds, stopping=stopping):
            if "ask" in header:
                self._answer(header, asks or {})
            elif "answer" in header:
                return header["answer"]
        return None

    def follow(
        self, name: str, arguments: Json, *, seconds: float, stopping: Stopping
    ) -> Iterator[tuple[Header, bytes]]:
        """Yield all that a call says, its answer last; each word gives it ``seconds`` more."""
        number, heard = next(self._numbers), queue.SimpleQueue[tuple[Header, bytes] | None]()
        with self._lock:
            self._calls[number] = heard
        try:
            self._send({"call": number, "do": name, "with": arguments})
            while True:
                header, body = self._next(name, heard, seconds, stopping)
                if "error" in header:
                    self._raise(header["error"])
                yield header, body
                if "answer" in header:
                    return
                if "signal" in header:
                    self._send({"taken": number})
        finally:
            with self._lock:
                self._calls.pop(number, None)

    def tell(self, header: Header) -> None:
        """Send what needs no answer; a process that is gone does not hear it, one that never listens is ended."""
        try:
            self._channel.send(header)
        except OSError:
            return
        if self._channel.waiting > _MOST_WAITING:
            self.kill("it read nothing of what it was told")

    def stop(self) -> None:
        """Let the component stop, and end the process."""
        self._channel_is_over("it was stopped")
        if not self._ended.wait(_GRACE):
            self.kill("it did not stop")
        self._ended.wait(_GRACE)

    def kill(self, why: str) -> None:
        """End the process at once."""
        self._why = self._why or why
        self._process.kill()

    def _next(
        self,
        name: str,
        heard: queue.SimpleQueue[tuple[Header, bytes] | None],
        seconds: float,
        stopping: Stopping,
    ) -> tuple[Header, bytes]:
        deadline = time.monotonic() + seconds
        while True:
            if stopping.is_set() and not self._is_told_to_stop:
                self._is_told_to_stop = True
                self.tell({"stopping": True})
            if self._ended.is_set() and heard.empty():
                raise ProcessEnded(f"its process ended: {self._why}")
            try:
                found = heard.get(timeout=min(_TICK, max(deadline - time.monotonic(), 0.001)))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    why = f"{name}() took longer than {seconds:g} s"
                    self.took_too_long = True
                    self.kill(why)
                    raise PluginBroken(f"{why}, and its process was ended") from None
                continue
            if found is not None:
                return found

    def _raise(self, said: Json) -> None:
        if said["type"] == "MemoryError":
            self.kill(self._no_memory)
            raise ProcessEnded(f"its process ended: {self._no_memory}")
        raise load_error(said)

    @property
    def _no_memory(self) -> str:
        return f"it needs more memory than limits.memory allows, {self._memory >> 20} MB"

    def _answer(self, header: Header, asks: Mapping[str, Ask]) -> None:
        answer: dict[str, Json] = {"reply": header["call"]}
        try:
            ask = asks.get(header["ask"])
            if ask is None:
                raise PluginBroken(f"{header['ask']}: there is none here")
            answer["value"] = ask(**header["given"])
        except Exception as error:  # whatever the store or the repository raise is for who asked to survive
            answer["error"] = dump_error(error)
        self._send(answer)

    def _send(self, header: Header) -> None:
        try:
            self._channel.send(header)
        except OSError:
            self._ended.wait(_GRACE)
            raise ProcessEnded(f"its process ended: {self._why}") from None

    def _listen(self) -> None:
        """Pass on what the process says, and see it end."""
        try:
            while (frame := self._channel.read()) is not None:
                self._sort(*frame)
        except (NoMessage, PluginBroken) as error:
            self.kill(f"it sent what is no message: {error}")
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self.kill(f"it sent what is no message: {type(error).__name__}")
        finally:
            self._see_it_end()

    def _sort(self, header: Header, body: bytes) -> None:
        number = header.get("call")
        if number is None:
            self._heard(header)
            return
        with self._lock:
            heard = self._calls.get(number)
        if heard is not None:
            if "state" in header:
                self._heard({"state": header["state"]})
            heard.put((header, body))

    def _see_it_end(self) -> None:
        code = self._process.wait(_CLOSED)
        if code is None:
            self.kill("it closed its pipe")
            code = self._process.wait() or 0
        self._why = self._why or (self._no_memory if code == STOPPED_FOR_MEMORY else _said(code))
        self._ended.set()
        self._channel.close()
        with self._lock:
            waiting = list(self._calls.values())
        for heard in waiting:
            heard.put(None)

    def _channel_is_over(self, why: str) -> None:
        self._why = self._why or why
        self.tell({"end": True})

    def _pass_on(self, errors: IO[bytes]) -> None:
        """Log what the process writes on its standard error."""
        while line := errors.readline(_LONGEST_LINE):
            self._logger.warning("its process wrote: %s", line.decode("utf-8", "replace").rstrip())
        errors.close()


def _said(code: int) -> str:
    if code >= 0:
        return f"it ended itself with exit code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"
