"""Say once what is wrong with a file, and again only after a growing pause."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from msgspec import Struct

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 600.0
LONGEST_RETRY = 30.0


class _Trouble(Struct):
    cause: str
    pause: float
    told_at: float
    retry_at: float = 0.0


class Troubles:
    """Remember what could not be read, and when to look and to warn again."""

    def __init__(self, logger: logging.Logger, now: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._now = now
        self._open: dict[str, _Trouble] = {}
        self._told: set[tuple[str, str]] = set()

    def report(self, place: str, error: OSError) -> None:
        """Warn about ``place`` unless the same cause was told less than its pause ago."""
        cause, now = error.strerror or type(error).__name__, self._now()
        known = self._open.get(place)
        is_news = known is None or known.cause != cause
        if known is None or known.cause != cause:
            known = self._open[place] = _Trouble(cause, FIRST_PAUSE, now)
        elif now >= known.told_at + known.pause:
            is_news, known.pause, known.told_at = True, min(known.pause * 2, LONGEST_PAUSE), now
        known.retry_at = now + min(known.pause, LONGEST_RETRY)
        if is_news:
            self._logger.warning(
                "%s: cannot be read (%s). It is tried again in %g s and goes on where it stopped.",
                printable(place),
                cause,
                min(known.pause, LONGEST_RETRY),
            )

    def tell(self, place: str, message: str, *, cause: str = "") -> None:
        """Warn about ``place`` once in the life of the source and for each cause.

        With a cause, the file is read on behind it; the record says so as ``is_read_on``.
        """
        if (place, cause) not in self._told:
            self._told.add((place, cause))
            reads_on = {"is_read_on": bool(cause)}
            self._logger.warning("%s: %s", printable(place), message, extra=reads_on)

    def is_waiting(self, place: str) -> bool:
        """Whether ``place`` failed a moment ago and should be left alone for now."""
        known = self._open.get(place)
        return known is not None and self._now() < known.retry_at

    def clear(self, place: str) -> None:
        """Forget the trouble with a place that works again."""
        if self._open.pop(place, None) is not None:
            self._logger.info("%s: can be read again", printable(place))


class Unread(Troubles):
    """Collect what cannot be read, in place of warning about it."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logger)
        self.said: list[str] = []

    def report(self, place: str, error: OSError) -> None:
        self.said.append(f"{printable(place)}: cannot be read ({error.strerror or type(error).__name__})")

    def tell(self, place: str, message: str, *, cause: str = "") -> None:
        if not cause:
            self.said.append(f"{printable(place)}: {message}")


def printable(path: str) -> str:
    """Return a path as people can read it: no control characters, no broken text."""
    if path.isprintable():
        return path
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
