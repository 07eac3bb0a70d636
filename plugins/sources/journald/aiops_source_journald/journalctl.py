"""Run journalctl and read what it prints."""

from __future__ import annotations

import fcntl
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct

from aiops_source_journald.cursor import is_same
from aiops_source_journald.export import ExportParser

_CHUNK = 1 << 18
_PATIENCE = 60.0
"""Seconds after which a question to journalctl is given up, and one that does nothing taken for stuck."""
_GRACE = 2.0
_LONGEST_REMARK = 500
_PASSED_ON = ("PATH", "HOME", "TZ")


class JournalctlFailed(Exception):
    """Say how a journalctl ended that should have gone on, or worked."""


class Journalctl(Struct, frozen=True):
    """The one program, asked for one journal; ``filters`` say which entries are wanted."""

    program: str
    journal: Sequence[str]
    filters: Sequence[str]
    remark: Callable[[str], None]
    """Told each line journalctl says on its standard error."""
    is_stopping: Callable[[], bool]

    def read(self, cursor: str, *, follow: bool) -> Running:
        """Print the wanted entries from ``cursor`` on, this one included; all when it is ""."""
        more = ("--follow", "--no-tail") if follow else ()
        place = (f"--cursor={cursor}",) if cursor else ()
        return self._run(*place, *more, *self.filters)

    def newest(self) -> str:
        """Return the cursor of the newest entry, whatever the filters; "" in an empty journal."""
        return next(self._cursors("--lines=1"), "")

    def nearest(self, cursor: str) -> str:
        """Return the cursor of the first entry at or after ``cursor``, whatever the filters; "" without one."""
        return next(self._cursors(f"--cursor={cursor}"), "")

    def has_wanted_after(self, cursor: str) -> bool:
        """Tell whether the journal holds an entry after ``cursor`` that passes the filters."""
        place = (f"--cursor={cursor}",) if cursor else ()
        return any(not is_same(found, cursor) for found in self._cursors(*place, *self.filters))

    def _cursors(self, *arguments: str) -> Iterator[str]:
        """Yield the cursors of the entries of one short run."""
        parser = ExportParser(keep=(b"__CURSOR",))
        deadline = time.monotonic() + _PATIENCE
        with closing(self._run(*arguments)) as running:
            while (chunk := running.chunk(0.2)) != b"":
                for entry in parser.feed(chunk or b""):
                    yield entry.fields.get(b"__CURSOR", b"").decode("ascii", "replace")
                if self.is_stopping() or time.monotonic() > deadline:
                    raise JournalctlFailed("it gave no answer in time")
            if code := running.end():
                raise JournalctlFailed(running.how(code))

    def _run(self, *arguments: str) -> Running:
        fixed = ("--output=export", "--all", "--no-pager")
        return Running((self.program, *fixed, *self.journal, *arguments), self.remark)


class Running:
    """One running journalctl."""

    def __init__(self, command: Sequence[str], remark: Callable[[str], None]) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, "LC_ALL": "C"},
            start_new_session=True,  # an interrupt from the terminal is ours to handle
            bufsize=0,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._out, self._err = self._process.stdout.fileno(), self._process.stderr.fileno()
        self._remark = remark
        self._said = b""
        self._last_remark = ""
        self._active_at, self._spent = time.monotonic(), 0
        self._selector = selectors.DefaultSelector()
        with suppress(OSError):
            fcntl.fcntl(self._out, fcntl.F_SETPIPE_SZ, _CHUNK)  # a limit of the user may forbid it
        for pipe in (self._out, self._err):
            os.set_blocking(pipe, False)
            self._selector.register(pipe, selectors.EVENT_READ)

    def chunk(self, seconds: float) -> bytes | None:
        """Return what was printed; None when that was nothing for so long, b"" at the end."""
        ready = {key.fd for key, _ in self._selector.select(seconds)}
        if self._err in ready:
            self._listen()
        if self._out not in ready:
            return None
        parts: list[bytes] = []
        room = _CHUNK
        while room:
            try:
                parts.append(os.read(self._out, room))
            except BlockingIOError:
                break
            if not parts[-1]:
                break
            room -= len(parts[-1])
        if parts:
            self._active_at = time.monotonic()
        return b"".join(parts) if parts else None

    def check_stuck(self) -> None:
        """Raise JournalctlFailed when it neither printed nor computed anything for too long.

        A filter that leaves out all of a large journal prints nothing for minutes, but computes.
        """
        now = time.monotonic()
        if now - self._active_at < _PATIENCE:
            return
        spent = self._ticks()
        if spent == self._spent:
            raise JournalctlFailed(f"it did nothing for {_PATIENCE:g} s")
        self._active_at, self._spent = now, spent

    def _ticks(self) -> int:
        """Return the processor time it has used."""
        try:
            told = Path(f"/proc/{self._process.pid}/stat").read_text("utf-8", "replace")
        except OSError:
            return 0
        user, system = told.rpartition(")")[2].split()[11:13]
        return int(user) + int(system)

    def end(self) -> int:
        """Wait for a journalctl that has closed its output; return its exit code."""
        try:
            code = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._listen()
        return code

    def how(self, code: int) -> str:
        """Describe how it ended, for people."""
        how = f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"
        return f"{how}: {self._last_remark}" if self._last_remark else how

    def close(self) -> None:
        """End it, if it still runs, and let go of everything."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _listen(self) -> None:
        """Pass on what is said on the standard error, line by line."""
        try:
            said = os.read(self._err, 1 << 16)
        except BlockingIOError:
            return
        if not said and self._err in self._selector.get_map():
            self._selector.unregister(self._err)
        *lines, self._said = (self._said + said).split(b"\n")
        if not said or len(self._said) > _LONGEST_REMARK:
            lines, self._said = [*lines, self._said], b""
        for line in lines:
            text = line[:_LONGEST_REMARK].decode("utf-8", "replace").strip()
            if text := "".join(c if c.isprintable() else " " for c in text):
                self._last_remark = text
                self._remark(text)
