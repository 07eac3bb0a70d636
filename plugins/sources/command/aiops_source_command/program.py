"""One run of a program: its two outputs as they come, its end, and the end of all it started."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

Output: TypeAlias = Literal["stdout", "stderr"]
CHUNK = 1 << 20
GRACE = 0.5
"""Seconds between the request to end and the end by force."""
LINGER = 1.0
"""Seconds for which output is still read when the program has ended and left others behind."""
_TICK = 0.2
_KEPT = 2000
_KEPT_LINES = 5


class Program:
    """A running program at the head of a process group of its own."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], directory: Path) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=directory,
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._tail = b""
        self._last_output = 0.0
        self._selector = selectors.DefaultSelector()
        for pipe, name in ((self._process.stdout, "stdout"), (self._process.stderr, "stderr")):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, name)

    def chunks(self) -> Iterator[tuple[Output, bytes] | None]:
        """Yield what is printed, None now and then, until both outputs have ended or the program has."""
        ended_at = None
        while self._selector.get_map():
            if ended_at is None and self._has_ended():
                ended_at = time.monotonic()  # all it printed is in its pipes: one more look finds it
            is_silent = True
            for key in self._ready(is_over=ended_at is not None):
                if data := self._read(key.fd):
                    is_silent = False
                    if key.data == "stderr":
                        self._tail = (self._tail + data)[-_KEPT:]
                    yield key.data, data
                elif data is not None:
                    self._selector.unregister(key.fileobj)
            yield None
            if ended_at is not None and (is_silent or time.monotonic() - ended_at > LINGER):
                return

    def end(self, *, at_once: bool) -> int:
        """End the group, by request first unless ``at_once``; return the exit code of the program."""
        if not at_once:
            self._signal(signal.SIGTERM)
            deadline = time.monotonic() + GRACE
            while not self._has_ended() and time.monotonic() < deadline:
                time.sleep(0.01)
        self._signal(signal.SIGKILL)  # the program is not reaped yet, so the group is still its own
        code = self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        return code

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the program; return whether it came."""
        deadline = time.monotonic() + seconds
        while not self._has_ended():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    @property
    def last_words(self) -> str:
        """The end of what it said on its standard error, on one line."""
        lines = self._tail.decode("utf-8", "replace").strip().splitlines()[-_KEPT_LINES:]
        text = " | ".join(line.strip() for line in lines)
        return "".join(c if c.isprintable() else " " for c in text)

    def _ready(self, *, is_over: bool) -> list[selectors.SelectorKey]:
        """Wait for the outputs that have something to read; all of them once it ``is_over``.

        To wait in vain means little: after SIGSTOP and SIGCONT a wait whose time is up looks at nothing.
        """
        ready = [key for key, _ in self._selector.select(_TICK)]
        return list(self._selector.get_map().values()) if is_over else ready

    def _has_ended(self) -> bool:
        """Tell whether the program has ended, and leave it unreaped."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    @staticmethod
    def _read(descriptor: int) -> bytes | None:
        """Return what there is, b"" at the end, None when there is nothing now."""
        try:
            return os.read(descriptor, CHUNK)
        except BlockingIOError:
            return None
