"""The press_recorder source: records of a binary file as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import Field

from acme_press.records import MARK, NoRecorder, unpacked
from aiops_core import Config, Duration, LogBatch, Position, Signal, Source, UserError

_CHUNK = 1 << 21


class PressRecorderConfig(Config):
    """Where the recorder writes."""

    path: str
    """File of the recorder; relative to the pipeline file."""
    interval: Duration = Field(default=timedelta(seconds=1), gt=timedelta())
    """Time between two looks at the file."""


class PressRecorder(Source[PressRecorderConfig]):
    """Read the event recorder of a press, from where reading stopped."""

    def places(self) -> tuple[Path, ...]:
        """Return the directory of the file: its disk is watched."""
        return ((self.context.directory / self.config.path).parent,)

    def start(self) -> None:
        """Look whether the file is one of a recorder; raise UserError when not."""
        if self._read(0, len(MARK)) not in (b"", MARK):
            raise UserError(f"path: {self.config.path}: is no file of a press recorder. Name another")

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        """Yield records until the pipeline stops; what was yielded and not committed comes again.

        A position is a byte of the file, and how many bytes of lines were made of what is before it.
        """
        position = _sound(positions.get(self.config.path, {}))
        while not self.context.stopping.is_set():
            batch = self._batch(position)
            if batch is not None:
                yield batch
                position = batch.end
            elif self.context.once:
                return
            else:
                self.context.stopping.wait(self.config.interval.total_seconds())

    def _batch(self, position: Position) -> LogBatch | None:
        """Return what is there behind a position, None when no record is whole yet."""
        data, marks = b"", [(0, position)]
        byte, line_byte = position["byte"], position["line_byte"]
        try:
            for record in unpacked(self._read(byte, _CHUNK)):
                data += record.lines()
                byte += record.size
                marks.append((len(data), {"byte": byte, "line_byte": line_byte + len(data)}))
        except NoRecorder as error:
            self.context.fault("damaged", f"{self.config.path}: byte {byte}: {error}. Read from its end on")
            marks[-1] = (len(data), {"byte": self._size(), "line_byte": line_byte + len(data)})
        if marks == [(0, position)]:
            return None
        return LogBatch(self.config.path, data, tuple(marks), offset=line_byte, path=self.config.path)

    def _read(self, byte: int, most: int) -> bytes:
        try:
            with (self.context.directory / self.config.path).open("rb") as file:
                file.seek(byte)
                return file.read(most)
        except FileNotFoundError:
            return b""

    def _size(self) -> int:
        return (self.context.directory / self.config.path).stat().st_size


def _sound(position: Position) -> Position:
    numbers = [position.get(name) for name in ("byte", "line_byte")]
    if all(isinstance(number, int) and number >= 0 for number in numbers):
        return position
    return {"byte": len(MARK), "line_byte": 0}
