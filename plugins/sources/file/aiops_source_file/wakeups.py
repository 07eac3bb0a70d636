"""Wake the reader when the file system says that something changed."""

from __future__ import annotations

import errno
import os
import select
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from aiops_source_file import inotify
from aiops_source_file.inotify import Inotify, is_remote
from aiops_source_file.troubles import Troubles
from aiops_source_file.watched import Watched

_WIDEST = frozenset({"/", "/proc", "/sys", "/dev"})
_LISTED = inotify.CREATE | inotify.DELETE | inotify.MOVED | inotify.SELF_GONE | inotify.OVERFLOW
_POLLED = "Everything is looked at every second instead, or less often when there are many files."

_INSTANCES = " Raise fs.inotify.max_user_instances, or the limit of open files, for quicker news."


class Wakeups:
    """Collect what changed; everything works without, a second later."""

    def __init__(
        self, troubles: Troubles, is_followed: Callable[[str], bool], fault: Callable[[str, str], None]
    ) -> None:
        self._troubles = troubles
        self._fault = fault
        self._is_followed = is_followed
        self.is_rescan_due = False
        """Whether a file or directory came or went since this was last set to False."""
        self.is_complete = False
        """Whether every change is sure to be told."""
        self._paths: dict[int, set[str]] = {}
        self._watches: dict[str, int] = {}
        self._refused: set[str] = set()
        self._inotify: Inotify | None = None
        self._watched: Watched | None = None
        self._lock = threading.Lock()
        self._alarm = self._bell = -1
        self._poll = select.poll()

    def open(self) -> None:
        """Ask for news from now on."""
        self._alarm, self._bell = os.pipe()
        os.set_blocking(self._alarm, False)
        os.set_blocking(self._bell, False)
        self._poll.register(self._alarm, select.POLLIN)
        try:
            self._inotify = Inotify()
        except OSError as error:
            self._open_watched(error)
            return
        self._poll.register(self._inotify.fd, select.POLLIN)

    def watch(self, directories: Iterable[str]) -> None:
        """Watch these directories and no others; those made anew since the last call too."""
        wanted = set(directories) - _WIDEST
        if self._watched is not None:
            self._watch_other(self._watched, wanted)
        if self._inotify is None:
            return
        for directory in set(self._watches) - wanted:
            self._forget(directory)
        self._refused &= wanted
        for directory in sorted(wanted):
            self._watch(self._inotify, directory)
        self.is_complete = not self._refused

    def wake(self) -> None:
        """End a wait; may be called by any thread and after the end."""
        with self._lock:
            if self._bell >= 0:
                try:
                    os.write(self._bell, b"!")
                except BlockingIOError:  # it rings already
                    pass

    def wait(self, seconds: float) -> None:
        """Wait for a change, but no longer than this."""
        self._poll.poll(max(0.0, seconds) * 1000)

    def take(self) -> set[str]:
        """Return the files that changed since the last call."""
        self._empty_alarm()
        changed: set[str] = set()
        for watch, kind, name in set(self._inotify.read()) if self._inotify else ():
            directories = self._paths.get(watch, set())
            if kind & _LISTED:
                self._note_listed(kind, directories)
            else:
                changed.update(f"{directory}/{os.fsdecode(name)}" for directory in directories)
        if self._watched is not None:
            told, is_listed = self._watched.take()
            changed |= told
            self.is_rescan_due |= is_listed
        return {path for path in changed if self._is_followed(path)}

    def stop(self) -> None:
        """Stop watching."""
        with self._lock:
            for fd in (self._alarm, self._bell):
                if fd >= 0:
                    os.close(fd)
            self._alarm = self._bell = -1
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None
        if self._watched is not None:
            self._watched.close()
            self._watched = None

    def _open_watched(self, reason: OSError) -> None:
        """Use what the system has instead of inotify; everything is looked at every second anyway."""
        try:
            self._watched = Watched(self.wake)
        except (OSError, RuntimeError) as error:
            why = f"{reason.strerror or reason}; {getattr(error, 'strerror', None) or error}"
            remedy = _INSTANCES if reason.errno == errno.EMFILE else ""
            self._troubles.tell("file", f"changes are not told by this system ({why}). {_POLLED}{remedy}")

    def _watch_other(self, watched: Watched, directories: set[str]) -> None:
        try:
            watched.watch({directory for directory in directories if Path(directory).is_dir()})
        except (OSError, RuntimeError) as error:
            self._troubles.tell("file", f"changes are not told ({error}). {_POLLED}")

    def _note_listed(self, kind: int, directories: set[str]) -> None:
        self.is_rescan_due = True
        if kind & inotify.OVERFLOW:
            self._fault(
                "changes were not told",
                "file: more changes than the system keeps note of: everything was looked at again. "
                "Raise fs.inotify.max_queued_events if that happens often.",
            )
        elif kind & inotify.SELF_GONE:
            for directory in list(directories):
                self._forget(directory)

    def _watch(self, source: Inotify, directory: str) -> None:
        try:
            watch = source.add(directory)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self._refuse(directory, f"cannot be watched ({error.strerror})")
            return
        known = self._watches.get(directory)
        if known == watch:
            return
        if known is not None:
            self._forget(directory)
        self._refused.discard(directory)
        if is_remote(directory):
            self._refused.add(directory)
        self._watches[directory] = watch
        self._paths.setdefault(watch, set()).add(directory)
        self.is_rescan_due = True  # what came before the watch told nobody

    def _refuse(self, directory: str, reason: str) -> None:
        if not self._refused:
            self._troubles.tell(
                directory,
                f"{reason}; it is looked at every second instead. "
                "Raise fs.inotify.max_user_watches or max_user_instances for quicker news.",
            )
        self._refused.add(directory)

    def _forget(self, directory: str) -> None:
        watch = self._watches.pop(directory, -1)
        names = self._paths.get(watch, set())
        names.discard(directory)
        if not names and self._paths.pop(watch, None) is not None and self._inotify is not None:
            self._inotify.remove(watch)

    def _empty_alarm(self) -> None:
        try:
            os.read(self._alarm, 4096)
        except BlockingIOError:
            pass
