"""Hear of changes through watchdog, on systems without inotify."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver, ObservedWatch


class Watched:
    """Watch directories with what the system has: FSEvents, kqueue, or polling."""

    def __init__(self, news: Callable[[], None]) -> None:
        """Call ``news`` from watchdog's thread whenever something changed."""
        from watchdog.observers import Observer

        logging.getLogger("watchdog").setLevel(logging.CRITICAL)  # it calls its own stop an error
        self._news = news
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self._is_listed = False
        self._watches: dict[str, ObservedWatch] = {}
        self._observer: BaseObserver = Observer()
        self._observer.start()

    def watch(self, directories: set[str]) -> None:
        """Watch these directories and no others; raise OSError for one that cannot be watched."""
        for directory in set(self._watches) - directories:
            self._observer.unschedule(self._watches.pop(directory))
        for directory in sorted(directories - set(self._watches)):
            real = os.path.realpath(directory)
            self._watches[directory] = self._observer.schedule(self._handler(real, directory), real)

    def take(self) -> tuple[set[str], bool]:
        """Return the files that changed since the last call, and whether any came or went."""
        with self._lock:
            changed, is_listed = self._changed, self._is_listed
            self._changed, self._is_listed = set(), False
        return changed, is_listed

    def close(self) -> None:
        """Stop watching."""
        self._observer.stop()
        self._observer.join(5)

    def _note(self, path: str, *, is_listed: bool) -> None:
        with self._lock:
            self._changed.add(path)
            self._is_listed |= is_listed
        self._news()

    def _handler(self, real: str, spelled: str) -> FileSystemEventHandler:
        from watchdog.events import EVENT_TYPE_MODIFIED, FileSystemEventHandler

        watched = self

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.event_type in {"opened", "closed", "closed_no_write"}:
                    return
                path = spelled + os.fsdecode(event.src_path)[len(real) :]
                watched._note(path, is_listed=event.event_type != EVENT_TYPE_MODIFIED)

        return Handler()
