"""One generation of a file: the physical stream, what identifies it and how far it is read."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from aiops_core import Position
from aiops_source_file.content import Content, GzipContent, peek, read
from aiops_source_file.discovery import Candidate, Key, directory_of
from aiops_source_file.nature import UNJUDGED, Nature
from aiops_source_file.troubles import printable

PREFIX = 1024
TAIL = 64
_LAST_LINE = 64 * 1024
_RESERVED = bytes(4)
"""What stands where a writer reserved space; no text in any encoding has as many zeros."""


class Sample(Struct, frozen=True):
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
        return self.is_of(peek(content, self.offset, self.length))

    def is_of(self, data: bytes) -> bool:
        """Whether it was taken of these bytes."""
        return self.length == 0 or sample_of(data, self.offset) == self

    def is_unpacked_from(self, content: Content) -> bool:
        """Whether a compressed file has these bytes at this place of what it holds."""
        return self.is_of(read(content, self.offset, self.length))


def _sample_from(value: Mapping[str, Any]) -> Sample:  # Any: JSON
    return Sample(int(value["offset"]), int(value["length"]), str(value["hash"]))


def sample(content: Content, offset: int, length: int) -> Sample:
    """Take a sample of what lies in the file."""
    return sample_of(peek(content, offset, length), offset)


def sample_of(data: bytes, offset: int) -> Sample:
    """Take a sample of these bytes, which lie at ``offset``."""
    return Sample(offset, len(data), hashlib.blake2b(data, digest_size=16).hexdigest())


class Generation(Struct, eq=False):
    """A file from its creation or truncation to its deletion or next truncation."""

    stream: str
    path: str
    device: int
    inode: int
    serial: int
    """Grows from generation to generation: of two with one inode the greater is the later."""
    offset: int = 0
    """Next byte to read; counts decompressed bytes."""
    drift: int = 0
    """By how much the text read so far is longer as UTF-8 than in the file."""
    real: str = ""
    """Where the file lies, when ``path`` leads there by a symbolic link."""
    prefix: Sample = Sample()
    tail: Sample = Sample()
    """Of bytes as they lie in the file, at or before the furthest byte read."""
    head: bytes = b""
    """What ``prefix`` was taken of, while it may become longer."""
    last: bytes = b""
    """What ``tail`` was taken of."""
    earlier: Sample = Sample()
    """What ``tail`` was at least a second ago, or at first; of a file that was moved away, before that."""
    nature: Nature = UNJUDGED
    is_skipping: bool = False
    """The next byte belongs to an over-long line whose head was already told."""
    is_ended: bool = False
    seen_at: float = 0.0
    """When the file was last seen under its path, in seconds since the epoch."""
    written_at: float = 0.0
    """When the file was last written to, as far as was seen, in seconds since the epoch."""

    unread_since: float = 0.0
    """Since when the file may have been written, copied and truncated unseen, in seconds since the epoch; 0: never."""
    explicit: bool = False
    may_unpack: bool = False
    """Whether it is read if it turns out to be compressed."""
    known_size: int = 0
    """How much it held when its prefix and tail were last compared."""
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
    def place(self) -> str:
        """The path beside which a rotation leaves the file."""
        return self.real or self.path

    @property
    def text_offset(self) -> int:
        """Where reading goes on, counted in bytes of UTF-8."""
        return self.offset + self.drift

    def lost(self, told: int = 0) -> int:
        """Return how many bytes it held that were neither read nor ``told``, as far as is known."""
        is_counted = self.nature.kind in {"text", "unknown"}
        return max(0, self.known_size - self.offset - told) if is_counted else 0

    @property
    def is_ignored(self) -> bool:
        """Whether the file holds nothing to read."""
        return self.nature.kind == "skipped" or (self.nature.kind == "binary" and not self.explicit)

    def holds_still(self, content: Content, before: os.stat_result) -> bool:
        """Whether this is the same file still; ``before`` is how it was before a read.

        Asked after that, it says whose bytes were read: a file may be truncated and written again meanwhile.
        """
        after = os.fstat(content.fd)
        is_unchanged = self.is_checked and _seen(before) == _seen(after) == self.seen
        return is_unchanged or self.check(content, before)

    def check(self, content: Content, status: os.stat_result) -> bool:
        """Compare prefix and tail after a change; True when this is the same file still."""
        self.is_checked = True
        if not self.is_in(content):
            return False
        self.known_size, self.seen = status.st_size, _seen(status)
        return True

    def is_in(self, content: Content) -> bool:
        """Whether the file holds the bytes this generation was read from."""
        head, last = (peek(content, known.offset, known.length) for known in (self.prefix, self.tail))
        if not (self.prefix.is_of(head) and self.tail.is_of(last)):
            return False
        self.head, self.last = head if len(head) < PREFIX else b"", last
        return True

    def is_now(self, candidate: Candidate, content: Content) -> bool:
        """Whether a file with its inode is this very file.

        One never read is known by its directory, elsewhere by its size and the time of its last change.
        """
        if self.prefix.length:
            return self.is_in(content)
        status = candidate.status
        is_unchanged = (self.seen[0], self.written_at) == (status.st_size, status.st_mtime)
        return is_unchanged or directory_of(self.place) == directory_of(candidate.real or candidate.path)

    def was_in(self, content: Content, size: int) -> bool:
        """Whether a file is a copy of this one, perhaps made before all of it was read.

        That two files begin alike is no proof where there is an end to compare.
        """
        known = self.tail if size >= self.tail.end else self.earlier
        is_proof = known.length > 0 or not self.tail.length
        return is_proof and known.end <= size and self.prefix.holds(content) and known.holds(content)

    def was_packed_into(self, content: GzipContent) -> bool:
        """Whether a compressed file holds what was read of this one."""
        known = self.tail if self.tail.is_unpacked_from(content) else self.earlier
        is_unread = self.offset == 0 and self.prefix.length == PREFIX
        return (
            self.prefix.length > 0
            and self.prefix.is_unpacked_from(content)
            and (known.length > 0 or is_unread)
            and known.is_unpacked_from(content)
        )

    def is_packed_as(self, content: GzipContent) -> bool:
        """Whether a compressed file is sure to be the copy of this one: of little the end has to agree too."""
        if not self.was_packed_into(content):
            return False
        return self.prefix.length == PREFIX or not read(content, max(self.known_size, self.offset), 1)

    def go_to_end(self, content: Content, size: int) -> None:
        """Begin after the last whole line there is."""
        encoding = self.nature.encoding
        start = max(0, encoding.floor(size - _LAST_LINE))
        end = encoding.last_line_end(peek(content, start, size - start), size - start)
        self.is_skipping = not end and start > 0
        self.offset = start + end if end else encoding.floor(size) if start else 0
        self.remember(content)

    def skip_to(self, content: Content, offset: int) -> None:
        """Begin with the first line that starts behind ``offset``."""
        self.offset = self.nature.begin + self.nature.encoding.floor(offset - self.nature.begin)
        self.is_skipping = True
        self.remember(content)

    def look(self, status: os.stat_result) -> bool:
        """Note size and time of change; True when they are other than last time."""
        before, self.seen = self.seen, _seen(status)
        self.written_at = status.st_mtime
        if before == self.seen:
            return False
        self.is_checked = False
        return True

    def recognise(self, content: Content) -> None:
        """Sample how a file begins of which nothing was read: it may be truncated before its turn comes."""
        if not self.prefix.length:
            self.head = peek(content, 0, PREFIX).partition(_RESERVED)[0]
            self.prefix = sample_of(self.head, 0)

    def remember(self, content: Content, raw: bytes = b"") -> None:
        """Sample what identifies the file as it has been read so far, ``raw`` last.

        Of what was read, where that is enough: the file may hold something else by now.
        """
        known, now, before = self.offset, time.monotonic(), self.tail
        if isinstance(content, GzipContent):
            known, raw = os.fstat(content.fd).st_size, b""
        start = known - len(raw)
        if self.prefix.length < PREFIX:
            is_known = raw and start <= len(self.head)
            head = (
                (self.head[:start] + raw[:PREFIX])[:PREFIX]
                if is_known
                else peek(content, 0, min(PREFIX, known))
            )
            self.prefix, self.head = sample_of(head, 0), head if len(head) < PREFIX else b""
        is_next = start == before.end and len(self.last) == before.length
        if is_next or len(raw) >= TAIL:
            self.last = (self.last + raw[-TAIL:])[-TAIL:]
        else:
            self.last = peek(content, max(0, known - TAIL), min(TAIL, known))
        self.tail = sample_of(self.last, known - len(self.last))
        if not self.earlier.length:
            self.earlier, self.between = self.tail, (self.tail, now)
        elif now >= self.between[1] + 1 and self.astray_since is None:
            self.earlier = self.between[0] if self.between[0].length else self.earlier
            self.between = (before, now)

    def position(self, offset: int | None = None, drift: int | None = None) -> Position:
        """Return the position at ``offset``, by default where reading goes on."""
        drift = self.drift if drift is None else drift
        return {
            "offset": self.offset if offset is None else offset,
            **_path_json("path", self.path),
            "device": self.device,
            "inode": self.inode,
            "serial": self.serial,
            "prefix": self.prefix.json(),
            "tail": self.tail.json(),
            "earlier": self.earlier.json(),
            "seen_at": round(self.seen_at, 3),
            "written_at": round(self.written_at, 3),
            **({"size": self.known_size} if self.known_size > self.offset else {}),
            **({"drift": drift} if drift else {}),
            **(_path_json("real", self.real) if self.real else {}),
            **({"skipping": True} if self.is_skipping else {}),
            **({"ended": True} if self.is_ended else {}),
        }


def _seen(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _path_json(name: str, path: str) -> dict[str, str]:
    """Return a path as it can be stored: readable, and as bytes where that is not all."""
    readable = printable(path)
    return (
        {name: readable} if readable == path else {name: readable, f"{name}_bytes": os.fsencode(path).hex()}
    )


def _path_from(position: Position, name: str) -> str:
    return os.fsdecode(bytes.fromhex(position.get(f"{name}_bytes", ""))) or str(position[name])


def new_generation(path: str, key: Key, serial: int, now: float) -> Generation:
    """Begin a generation that was never seen before."""
    stream = f"{key[0]:x}.{key[1]:x}.{os.urandom(4).hex()}"
    return Generation(stream, path, *key, serial, seen_at=now, written_at=now)


def restore(stream: str, position: Position) -> Generation:
    """Make a generation from its committed position; raise ValueError when that is damaged."""
    try:
        return Generation(
            stream,
            _path_from(position, "path"),
            int(position["device"]),
            int(position["inode"]),
            int(position["serial"]),
            offset=int(position["offset"]),
            drift=int(position.get("drift", 0)),
            known_size=int(position.get("size", 0)),
            real=_path_from(position, "real") if "real" in position else "",
            prefix=_sample_from(position["prefix"]),
            tail=_sample_from(position["tail"]),
            earlier=_sample_from(position["earlier"]),
            is_skipping=bool(position.get("skipping")),
            is_ended=bool(position.get("ended")),
            seen_at=float(position["seen_at"]),
            written_at=float(position.get("written_at", position["seen_at"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"the position of {stream} is damaged ({error!r})") from None
