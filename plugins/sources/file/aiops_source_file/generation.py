"""One generation of a file: the physical stream, what identifies it and how far it is read."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiops_core import Position
from aiops_source_file.content import Content, GzipContent, Nature, judge, peek
from aiops_source_file.discovery import Key
from aiops_source_file.troubles import printable

PREFIX = 1024
TAIL = 64
_LAST_LINE = 64 * 1024
UNJUDGED = Nature("unknown")


@dataclass(frozen=True, slots=True)
class Sample:
    """The hash of some bytes of a file, to know them again."""

    offset: int = 0
    length: int = 0
    hash: str = ""

    @property
    def end(self) -> int:
        """Where the sampled bytes end."""
        return self.offset + self.length

    def json(self) -> dict[str, int | str]:
        """Return the sample as it is stored in a position."""
        return {"offset": self.offset, "length": self.length, "hash": self.hash}

    def holds(self, content: Content) -> bool:
        """Whether the file still has these bytes at this place."""
        return self.length == 0 or sample(content, self.offset, self.length) == self


def _sample_from(value: Mapping[str, Any]) -> Sample:  # Any: JSON
    return Sample(int(value["offset"]), int(value["length"]), str(value["hash"]))


def sample(content: Content, offset: int, length: int) -> Sample:
    """Take a sample of what lies in the file."""
    data = peek(content, offset, length)
    return Sample(offset, len(data), hashlib.blake2b(data, digest_size=16).hexdigest())


@dataclass(slots=True, eq=False)
class Generation:
    """A file from its creation or truncation to its deletion or next truncation."""

    stream: str
    path: str
    device: int
    inode: int
    serial: int
    """Grows from generation to generation: of two with one inode the greater is the later."""
    offset: int = 0
    """Next byte to read; counts decompressed bytes."""
    prefix: Sample = Sample()
    tail: Sample = Sample()
    """Of bytes as they lie in the file, at or before the furthest byte read."""
    earlier: Sample = Sample()
    """What ``tail`` was at least a second ago."""
    nature: Nature = UNJUDGED
    is_skipping: bool = False
    """The next byte belongs to an over-long line whose head was already told."""
    is_ended: bool = False
    seen_at: float = 0.0
    """When the file was last seen under its path, in seconds since the epoch."""

    explicit: bool = False
    may_unpack: bool = False
    """Whether it is read if it turns out to be compressed."""
    partial: bytes = b""
    """The unterminated last line as last seen; cut when it is long."""
    until: int | None = None
    """Where a run that ends by itself stops reading."""
    predecessor: Generation | None = None
    """What has to be read to its end before this."""
    is_drained: bool = False
    """The last read reached the end of the file."""
    is_checked: bool = False
    """Prefix and tail were compared since the file was last seen to change."""
    is_final: bool = False
    """Nobody writes to it any more: it ends where the file ends."""
    astray_since: float | None = None
    """Monotonic time since when no setting names the file, or since it last grew."""
    between: tuple[Sample, float] = (Sample(), 0.0)
    """What ``earlier`` will be, and since when."""
    seen: tuple[int, int] = field(default=(-1, -1))
    """Size and time of change when last looked at."""

    @property
    def key(self) -> Key:
        """Device and inode."""
        return self.device, self.inode

    @property
    def is_ignored(self) -> bool:
        """Whether the file holds nothing to read."""
        return self.nature.kind == "skipped" or (self.nature.kind == "binary" and not self.explicit)

    def is_in(self, content: Content) -> bool:
        """Whether the file holds the bytes this generation was read from."""
        return self.prefix.holds(content) and self.tail.holds(content)

    def was_in(self, content: Content, size: int) -> bool:
        """Whether a file is a copy of this one, perhaps made before all of it was read."""
        known = self.tail if size >= self.tail.end else self.earlier
        return known.end <= size and self.prefix.holds(content) and known.holds(content)

    def go_to_end(self, content: Content, size: int) -> bool:
        """Begin after the last whole line there is; False for a file that holds no lines."""
        nature = judge(content)
        if nature.kind == "gzip" or (nature.kind == "binary" and not self.explicit):
            return False
        newline = "\n".encode(nature.encoding or "utf-8")
        start = max(0, size - _LAST_LINE) // 2 * 2
        data = peek(content, start, size - start)
        at = data.rfind(newline)
        while at > 0 and at % len(newline):
            at = data.rfind(newline, 0, at + len(newline) - 1)
        self.is_skipping = at < 0 < start
        self.offset = start + at + len(newline) if at >= 0 else size if start else 0
        self.remember(content)
        return True

    def look(self, status: os.stat_result) -> bool:
        """Note size and time of change; True when they are other than last time."""
        before, self.seen = self.seen, (status.st_size, status.st_mtime_ns)
        if before == self.seen:
            return False
        self.is_checked = False
        return True

    def remember(self, content: Content) -> None:
        """Sample what identifies the file as it has been read so far."""
        known = self.offset
        if isinstance(content, GzipContent):
            known = os.fstat(content.fd).st_size
        if self.prefix.length < PREFIX:
            self.prefix = sample(content, 0, min(PREFIX, known))
        if (now := time.monotonic()) >= self.between[1] + 1:
            self.earlier, self.between = self.between[0], (self.tail, now)
        length = min(TAIL, known)
        self.tail = sample(content, known - length, length)

    def position(self, offset: int | None = None) -> Position:
        """Return the position at ``offset``, by default where reading goes on."""
        position: dict[str, Any] = {  # Any: JSON
            "offset": self.offset if offset is None else offset,
            "path": printable(self.path),
            "device": self.device,
            "inode": self.inode,
            "serial": self.serial,
            "prefix": self.prefix.json(),
            "tail": self.tail.json(),
            "earlier": self.earlier.json(),
            "seen_at": round(self.seen_at, 3),
        }
        if position["path"] != self.path:
            position["path_bytes"] = os.fsencode(self.path).hex()
        if self.is_skipping:
            position["skipping"] = True
        if self.is_ended:
            position["ended"] = True
        return position


def new_generation(path: str, key: Key, serial: int, now: float) -> Generation:
    """Begin a generation that was never seen before."""
    stream = f"{key[0]:x}.{key[1]:x}.{os.urandom(4).hex()}"
    return Generation(stream, path, *key, serial, seen_at=now)


def restore(stream: str, position: Position) -> Generation:
    """Make a generation from its committed position; raise ValueError when that is damaged."""
    try:
        path = os.fsdecode(bytes.fromhex(position.get("path_bytes", ""))) or str(position["path"])
        return Generation(
            stream,
            path,
            int(position["device"]),
            int(position["inode"]),
            int(position["serial"]),
            offset=int(position["offset"]),
            prefix=_sample_from(position["prefix"]),
            tail=_sample_from(position["tail"]),
            earlier=_sample_from(position["earlier"]),
            is_skipping=bool(position.get("skipping")),
            is_ended=bool(position.get("ended")),
            seen_at=float(position["seen_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"the position of {stream} is damaged ({error!r})") from None
