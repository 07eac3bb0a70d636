"""Wake the reader when the file system says that something changed."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_source_file.troubles import Troubles

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver, ObservedWatch

_MOST_WATCHES = 64
_WIDEST = frozenset({"/", "/proc", "/sys", "/dev"})


class Wakeups:
    """Collect what changed; everything works without, a second later."""

    def __init__(self, troubles: Troubles, is_followed: Callable[[str], bool]) -> None:
        self._troubles = troubles
        self._is_followed = is_followed
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._changed: set[str] = set()
        self.is_rescan_due = False
        """Whether a file or directory came or went since this was last set to False."""
        self._watches: dict[tuple[str, bool], tuple[tuple[int, int], ObservedWatch | None]] = {}
        self._observer: BaseObserver | None = None

    def watch(self, directories: Iterable[tuple[str, bool]]) -> None:
        """Watch these directories; those made anew since the last call are watched again."""
        for directory, recursive in list(dict.fromkeys(directories))[:_MOST_WATCHES]:
            try:
                status = Path(directory).stat()
            except OSError:
                continue
            key, identity = (directory, recursive), (status.st_dev, status.st_ino)
            known = self._watches.get(key)
            if directory in _WIDEST or (known is not None and known[0] == identity):
                continue
            try:
                self._schedule(key, identity)
            except (OSError, RuntimeError) as error:  # no watches left, no threads left
                self._watches[key] = (identity, None)
                self._troubles.tell(
                    directory,
                    f"cannot be watched ({error}); it is looked at every second instead. "
                    "Raise fs.inotify.max_user_watches or max_user_instances for quicker news.",
                )

    def changed(self, path: str) -> None:
        """Take note that bytes were written to the file at ``path``."""
        if self._is_followed(path):
            with self._lock:
                self._changed.add(path)
            self._event.set()

    def listed(self) -> None:
        """Take note that a file or directory came, went or was renamed."""
        self.is_rescan_due = True
        self._event.set()

    def wake(self) -> None:
        """End a wait."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Wait for a change, but no longer than this."""
        self._event.wait(seconds)

    def take(self) -> set[str]:
        """Return the files that changed since the last call."""
        self._event.clear()
        with self._lock:
            changed, self._changed = self._changed, set()
        return changed

    def stop(self) -> None:
        """Stop watching."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(5)
            self._observer = None

    def _schedule(self, key: tuple[str, bool], identity: tuple[int, int]) -> None:
        from watchdog import events
        from watchdog.observers import Observer

        if self._observer is None:
            logging.getLogger("watchdog").setLevel(logging.CRITICAL)  # it calls its own stop an error
            self._observer = Observer()
            self._observer.start()
        known = self._watches.pop(key, None)
        if known is not None and known[1] is not None:
            self._observer.unschedule(known[1])
        directory, recursive = key
        kinds = [
            events.FileModifiedEvent,
            events.FileCreatedEvent,
            events.FileMovedEvent,
            events.FileDeletedEvent,
            events.DirCreatedEvent,
            events.DirMovedEvent,
        ]
        real = os.path.realpath(directory)
        handler = self._handler(real, directory)
        watch = self._observer.schedule(handler, real, recursive=recursive, event_filter=kinds)
        self._watches[key] = (identity, watch)

    def _handler(self, real: str, spelled: str) -> FileSystemEventHandler:
        from watchdog.events import EVENT_TYPE_MODIFIED, FileSystemEventHandler

        wakeups = self

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.event_type == EVENT_TYPE_MODIFIED:
                    wakeups.changed(spelled + os.fsdecode(event.src_path)[len(real) :])
                else:
                    wakeups.listed()

        return Handler()
