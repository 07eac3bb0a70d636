"""Parse the journal export format, as it comes in pieces, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

LONGEST_FIELD = 1 << 20
"""Bytes kept of one field; what follows is dropped as it comes."""
LARGEST_FIELD = 1 << 30
"""No journal holds a longer field: such a length is junk."""
_WAIT_FOR = 2 * LONGEST_FIELD
_LONGEST_NAME = 128
_LONGEST_LINE = LONGEST_FIELD + _LONGEST_NAME + 1
_NAME = re.compile(rb"[A-Z0-9_]{1,128}")
_MOST_NAMES = 4096


class ExportError(ValueError):
    """Say that bytes are not in the export format, and where."""


class Entry(NamedTuple):
    """One journal entry: the first value of each field, and further values of repeated ones.

    ``lengths`` holds the whole length of fields of which only the beginning was kept.
    """

    fields: Mapping[bytes, bytes]
    more: tuple[tuple[bytes, bytes], ...] = ()
    lengths: Mapping[bytes, int] = {}

    def values(self, name: bytes) -> list[bytes]:
        """Return every value of a field, in order."""
        first = [self.fields[name]] if name in self.fields else []
        return first + [value for other, value in self.more if other == name]


class ExportParser:
    """Turn chunks of any size into entries.

    An entry without binary fields is split as one piece; any other goes field by field.
    ``keep`` names the fields that are kept of entries too large for memory; all when None.
    """

    def __init__(self, keep: Collection[bytes] | None = None) -> None:
        self._keep = keep
        self._buffer = bytearray()
        self._need = 0
        self._until = b""
        """What has to come before more is there to take, up to ``_need`` bytes in all."""
        self._offset = 0
        self._names: set[bytes] = set()
        self._error: ExportError | None = None
        self._is_open = False
        self._pairs: list[tuple[bytes, bytes]] = []
        self._lengths: dict[bytes, int] = {}
        self._skip = 0
        self._line: tuple[bytes, bytes, int] | None = None

    def feed(self, data: bytes) -> list[Entry]:
        """Return the entries these bytes complete.

        Raise ExportError at junk; entries before it are returned first, and the next call raises.
        """
        if self._error is not None:
            raise self._error
        last = self._buffer[-1:]
        self._buffer += data
        if len(self._buffer) < self._need and (not self._until or self._until not in last + data):
            return []
        entries: list[Entry] = []
        try:
            self._parse(entries)
        except ExportError as error:
            self._error = error
            if not entries:
                raise
        return entries

    def close(self) -> None:
        """Raise ExportError when the bytes stopped in the middle of an entry."""
        if self._error is not None:
            raise self._error
        if self._is_open or self._buffer.strip(b"\n"):
            raise ExportError(f"the journal export stops inside an entry, after byte {self._total}")

    @property
    def _total(self) -> int:
        return self._offset + len(self._buffer)

    def _parse(self, entries: list[Entry]) -> None:
        """Take from the buffer what is complete; note how much must be there before more is."""
        data, at, self._need, self._until = bytes(self._buffer), 0, 0, b""
        try:
            while not self._need:
                take = self._field if self._is_open else self._simple
                at = take(data, at, entries)
        finally:
            del self._buffer[:at]
            self._offset += at

    def _simple(self, data: bytes, at: int, entries: list[Entry]) -> int:
        """Take entries of text alone, up to the first that is not one or not complete."""
        while True:
            while data.startswith(b"\n", at):
                at += 1
            end = data.find(b"\n\n", at)
            if end < 0:
                self._is_open = len(data) - at > _WAIT_FOR
                if not self._is_open:
                    self._need, self._until = _WAIT_FOR + 1, b"\n\n"
                return at
            entry = self._split(data[at:end])
            if entry is None:
                self._is_open = True
                return at
            entries.append(entry)
            at = end + 2

    def _split(self, raw: bytes) -> Entry | None:
        """Return an entry of short, single text fields; None for any other."""
        if len(raw) > LONGEST_FIELD:
            return None
        lines = raw.split(b"\n")
        try:
            fields = dict([line.split(b"=", 1) for line in lines])
        except ValueError:
            return None
        if len(fields) != len(lines):
            return None
        if not fields.keys() <= self._names and not all(map(self._is_name, fields)):
            return None
        return Entry(fields)

    def _is_name(self, name: bytes) -> bool:
        if not _NAME.fullmatch(name):
            return False
        if len(self._names) < _MOST_NAMES:
            self._names.add(name)
        return True

    def _field(self, data: bytes, at: int, entries: list[Entry]) -> int:
        """Take one field or the end of the entry, or what there is of a field that is too long."""
        if self._skip:
            taken = min(self._skip, len(data) - at)
            self._skip -= taken
            self._need = int(self._skip > 0)
            return at + taken
        end = data.find(b"\n", at)
        if self._line is not None:
            return self._rest_of_line(self._line, data, at, end)
        if end < 0:
            return self._begin_of_line(data, at)
        if end == at:
            entries.append(self._finish())
            return at + 1
        name, equals, value = data[at:end].partition(b"=")
        self._check(name, at)
        if equals:
            self._add(name, value, len(value))
            return end + 1
        return self._binary(name, data, at, end + 1)

    def _begin_of_line(self, data: bytes, at: int) -> int:
        """Wait for the end of a line, or begin to drop what is too much of it."""
        if len(data) - at <= _LONGEST_LINE:
            self._need, self._until = _LONGEST_LINE + 1, b"\n"
            return at
        name, equals, value = data[at:].partition(b"=")
        self._check(name if equals else b"", at)
        self._line = (name, value[:LONGEST_FIELD], len(value))
        self._need = 1
        return len(data)

    def _rest_of_line(self, line: tuple[bytes, bytes, int], data: bytes, at: int, end: int) -> int:
        name, head, length = line
        length += (len(data) if end < 0 else end) - at
        if end < 0:
            self._line, self._need = (name, head, length), 1
            if length > LARGEST_FIELD:
                raise ExportError(f"a line of the journal export does not end, at byte {self._offset + at}")
            return len(data)
        self._line = None
        self._add(name, head, length)
        return end + 1

    def _binary(self, name: bytes, data: bytes, at: int, start: int) -> int:
        """Take a field whose length stands before it; ``at`` is where its name begins."""
        begin = start + 8
        if len(data) < begin:
            self._need = begin - at
            return at
        length = int.from_bytes(data[start:begin], "little")
        if length > LARGEST_FIELD:
            raise ExportError(f"a field of {length} bytes in the journal export, at byte {self._offset + at}")
        kept = min(length, LONGEST_FIELD)
        whole = begin + kept + (length == kept)
        if len(data) < whole:
            self._need = whole - at
            return at
        if length == kept and data[whole - 1 : whole] != b"\n":
            raise ExportError(f"a field of the journal export has no end, at byte {self._offset + whole - 1}")
        self._add(name, data[begin : begin + kept], length)
        self._skip = 0 if length == kept else length - kept + 1
        return whole

    def _check(self, name: bytes, at: int) -> None:
        if not _NAME.fullmatch(name):
            raise ExportError(f"no name of a field in the journal export, at byte {self._offset + at}")

    def _add(self, name: bytes, value: bytes, length: int) -> None:
        if self._keep is not None and name not in self._keep:
            return
        self._pairs.append((name, value[:LONGEST_FIELD]))
        if length > LONGEST_FIELD:
            self._lengths[name] = length

    def _finish(self) -> Entry:
        fields: dict[bytes, bytes] = {}
        more = []
        for name, value in self._pairs:
            if name in fields:
                more.append((name, value))
            else:
                fields[name] = value
        entry = Entry(fields, tuple(more), self._lengths)
        self._pairs, self._lengths, self._is_open = [], {}, False
        return entry
