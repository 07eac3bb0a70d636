"""The program's own log: one event a line, no secret in it, on a stream and in a rotated file."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from aiops_core.errors import UserError
from aiops_core.settings import Logging

NAME = "aiops"
_SHORTEST_SECRET = 4
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_KNOWN_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def configure(
    settings: Logging, *, directory: Path, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> logging.Logger:
    """Send the program's log to the stream (standard error) and to the file of the settings.

    ``directory`` is where a relative file starts; ``secrets`` of four characters or more are
    replaced wherever they occur. Called again it replaces what it set up before. Raise UserError
    when the file cannot be opened.
    """
    formatter = (_JsonLines if settings.format == "json" else _TextLines)(_Mask(secrets))
    handlers: list[logging.Handler] = [_StreamHandler(stream if stream is not None else sys.stderr)]
    if settings.file:
        handlers.append(_open(settings, directory / settings.file))
    logger = logging.getLogger(NAME)
    for old in logger.handlers[:]:
        if isinstance(old, _StreamHandler | _FileHandler):
            logger.removeHandler(old)
            old.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        logger.addHandler(handler)
    logger.setLevel(settings.level.upper())
    logger.propagate = False
    return logger


def _open(settings: Logging, path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _FileHandler(path, maxBytes=settings.max_size, backupCount=settings.keep, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"logging.file: {path} cannot be opened ({reason}). Name a file this user may write."
        ) from None


class _Mask:
    """Replace known secrets, also where they are quoted for an address, a string or base64."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret.strip())}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub("***", text) if self._pattern else text


def _forms(secret: str) -> set[str]:
    if len(secret) < _SHORTEST_SECRET:
        return set()
    encoded = base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    quoted = quote(secret, safe="", errors="replace")
    return {secret, quoted, encoded, repr(secret)[1:-1], json.dumps(secret)[1:-1]}


class _Lines(logging.Formatter):
    def __init__(self, mask: _Mask) -> None:
        super().__init__()
        self._mask = mask

    def _message(self, record: logging.LogRecord) -> str:
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            text = f"{record.msg} {record.args!r}"
        return self._mask(text)

    def _trace(self, record: logging.LogRecord) -> str:
        trace = self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
        return self._mask("\n".join(filter(None, (trace, record.stack_info))))


class _TextLines(_Lines):
    """``time LEVEL logger: message``; a traceback follows on marked lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        head = f"{_time(record)} {record.levelname:<7} {record.name}: {_escape(self._message(record))}"
        trace = self._trace(record)
        return "\n".join([head, *(f"    | {_escape(row)}" for row in trace.split("\n") if trace)])


class _JsonLines(_Lines):
    """One JSON object a line; simple values given as ``extra`` become fields of their own."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._message(record),
        }
        for name, value in record.__dict__.items():
            if name not in _KNOWN_FIELDS and name not in fields:
                fields[name] = value if isinstance(value, int | float | None) else self._mask(str(value))
        if trace := self._trace(record):
            fields["exception"] = trace
        return json.dumps(fields)


def _time(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


def _escape(text: str) -> str:
    return _UNSAFE.sub(lambda match: repr(match[0])[1:-1], text)


class _StreamHandler(logging.StreamHandler[TextIO]):
    """Write to a stream; a reader that went away is no reason to stop."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Lose the line: there is no place left to complain."""


class _FileHandler(RotatingFileHandler):
    """Write to a file only its owner can read, before and after rotation; say once when it fails."""

    _has_complained = False

    def _open(self) -> TextIO:  # type: ignore[override]
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding)

    def close(self) -> None:
        """Close the file, also when its last lines no longer fit on the disk."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        """Tell standard error once that lines are being lost, then go on without."""
        if not self._has_complained:
            self._has_complained = True
            reason = sys.exc_info()[1]
            message = (
                f"logging.file: {self.baseFilename} cannot be written ({reason}). Free or repair the disk."
            )
            print(message, file=sys.stderr)  # noqa: T201 (the log itself is what fails)
