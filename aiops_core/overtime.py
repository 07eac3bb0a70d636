"""Calls of components that take too long: left behind where they may wait, broken into where they may not."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aiops_core.errors import PluginBroken

R = TypeVar("R")

_LOOK = 0.5
_LATE = 0.5
"""Seconds by which a look that comes later says that the whole process was held up, by SIGSTOP or with its machine."""
_THEN = "The step is off until that call ends"


class Patience:
    """Wait for the calls of one step as long as they may take.

    A call that takes longer goes on in its thread, which nobody can end; until it has ended, none is made.
    """

    def __init__(self) -> None:
        self._late: list[threading.Thread] = []

    @property
    def is_off(self) -> bool:
        """Whether a call that took too long still goes on."""
        self._late = [thread for thread in self._late if thread.is_alive()]
        return bool(self._late)

    def call(self, what: str, seconds: float, work: Callable[[], R], then: str = _THEN) -> R:
        """Return what the work gives, done in a thread of its own; raise PluginBroken when it takes too long.

        ``then`` says what follows from that.
        """
        if self.is_off:
            raise PluginBroken("off: an earlier call took too long, and still goes on")
        given: list[R] = []
        raised: list[BaseException] = []

        def do() -> None:
            try:
                given.append(work())
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=do, name=f"call {what}", daemon=True)
        thread.start()
        thread.join(seconds)
        if raised:
            raise raised[0]
        if not given:
            self._late.append(thread)
            raise PluginBroken(f"{what}() took longer than {seconds:g} s. {then}")
        return given[0]


class _Overtime(BaseException):
    """Break into a call: no ``except Exception`` of a plugin may keep it."""


class Overseer:
    """Watch the one thread that calls detectors; one that takes too long is broken into, and off from then on.

    ``seconds`` are those each may take, None for who has a process of his own; ``told`` hears at once
    of a call that is over its time: one that waits in C is not reached.
    """

    def __init__(self, seconds: Sequence[float | None], told: Callable[[int, str], None]) -> None:
        self._seconds = seconds
        self._told = told
        self._lock = threading.Lock()
        self._begun: tuple[int, str, float] | None = None
        self._thread = 0
        self._off: dict[int, str] = {}

    def start(self, stopping: threading.Event) -> None:
        """Watch the thread that calls this, until the run stops."""
        self._thread = threading.get_ident()
        threading.Thread(target=self._watch, args=(stopping,), name="overseer", daemon=True).start()

    def call(self, owner: int, what: str, work: Callable[..., R], *arguments: Any) -> R:  # Any: passed on
        """Return what the work of a detector gives; raise PluginBroken for one that is off."""
        if owner in self._off:
            raise PluginBroken(self._off[owner])
        if self._seconds[owner] is None:
            return work(*arguments)
        self._begun = (owner, what, time.monotonic())
        try:
            return work(*arguments)
        except _Overtime:
            raise PluginBroken(self._off[owner]) from None
        finally:
            with self._lock:  # whoever breaks in has done so, or finds no call
                self._begun = None

    def _watch(self, stopping: threading.Event) -> None:
        looked = time.monotonic()
        while not stopping.wait(_LOOK):
            before, looked = looked, time.monotonic()
            late = looked - before - _LOOK
            with self._lock:
                if late > _LATE and self._begun is not None:
                    owner, what, began = self._begun
                    self._begun = owner, what, began + late  # time in which nobody ran is nobody's overtime
                over = self._break_in()
            if over is not None:
                self._told(over, self._off[over])

    def _break_in(self) -> int | None:
        """Raise in the thread whose call is over its time, once; return whose call it is."""
        if self._begun is None:
            return None
        owner, what, began = self._begun
        limit = self._seconds[owner]
        if limit is None or time.monotonic() - began < limit:
            return None
        self._begun = None
        self._off[owner] = f"{what}() took longer than {limit:g} s. It is off until the next start or reload"
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(_Overtime))
        return owner
