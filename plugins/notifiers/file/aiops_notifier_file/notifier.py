"""The notifier: settings, and which reports the file holds already."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from aiops_core import Config, Notifier, Receipt, RecipientResult, Report, Retry, Size, UserError, report_data
from aiops_notifier_file.lines import append, keys_in, rotate


class FileConfig(Config):
    """Which file, and how large it may get."""

    path: str = Field(min_length=1)
    """File that gets one line of JSON a report, made with mode 0600; relative to the pipeline file."""
    max_size: Size = Field(default=100 * 1024 * 1024, ge=4096)
    """Size at which the file is renamed to `.1`, the former `.1` to `.2`, and so on."""
    keep: int = Field(default=5, ge=0, le=100)
    """Renamed files kept; the oldest is removed."""
    limit: Size = Field(default=64 * 1024, ge=1024)
    """Largest size of one text in a line, such as the logged error or the diff; the middle is left out."""


class FileNotifier(Notifier[FileConfig]):
    """Append each report to a file, as JSON on one line; a report that is there is not written twice."""

    attempts: ClassVar[int] = 10
    retry_after: ClassVar[float] = 60.0
    takes_digests: ClassVar[bool] = False
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def start(self) -> None:
        """Make the file; raise UserError when it cannot be written."""
        path = self._path()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            append(path, b"")
        except OSError as error:
            raise UserError(f"path: {path}: {error.strerror}. Name a file this user may write.") from None

    def notify(self, report: Report) -> Receipt:
        """Append the report, safe on disk when this returns."""
        path = self._path()
        data = report_data(report, limit=self.config.limit)
        line = json.dumps(data, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            with self._lock:
                is_new = data["key"] not in keys_in(path)
                if is_new:
                    rotate(path, self.config.max_size - len(line), self.config.keep)
                    append(path, line)
        except OSError as error:
            raise Retry(f"file {path}: cannot be written ({error.strerror}).") from None
        result = RecipientResult(str(path), accepted=True, detail="" if is_new else "was there already")
        return Receipt(ids=(report.key,), recipients=(result,))

    def _path(self) -> Path:
        return self.context.directory / self.config.path
