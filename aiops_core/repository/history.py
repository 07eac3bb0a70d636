"""What git says about files, lines and commits, parsed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from msgspec import Struct

FileKind: TypeAlias = Literal["file", "symlink", "submodule"]
LOG_FORMAT = "%H%x1f%an%x1f%ct%x1f%s"
_KINDS: Mapping[str, FileKind] = {"120000": "symlink", "160000": "submodule"}
_BLAME_HEADER = re.compile(r"([0-9a-f]{40,64}) \d+ (\d+)")


class TreeEntry(Struct, frozen=True):
    """One tracked path of a commit: git's mode, the object it names, and its size in bytes."""

    mode: str
    id: str
    size: int

    @property
    def kind(self) -> FileKind:
        """What stands there: a regular file, a symlink or a submodule."""
        return _KINDS.get(self.mode, "file")

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.kind == "file"


class BlameLine(Struct, frozen=True):
    """Who last changed one line."""

    line: int
    commit: str
    author: str
    at: datetime
    summary: str


class Commit(Struct, frozen=True):
    """One commit of the history; ``at`` is when it was committed."""

    id: str
    author: str
    at: datetime
    summary: str


class Match(Struct, frozen=True):
    """One line of a file in which a searched text stands."""

    path: str
    line: int
    text: str


def parse_tree(out: bytes) -> Mapping[str, TreeEntry]:
    """Return the manifest from ``git ls-tree -r -z -l``."""
    manifest = {}
    for record in filter(None, out.split(b"\0")):
        facts, _, path = record.partition(b"\t")
        mode, _type, id_, size = facts.decode().split()
        manifest[path.decode("utf-8", "surrogateescape")] = TreeEntry(
            mode, id_, int(size) if size != "-" else 0
        )
    return manifest


def parse_blame(out: bytes) -> list[BlameLine]:
    """Return the lines of ``git blame --line-porcelain``."""
    lines: list[BlameLine] = []
    facts: dict[str, str] = {}
    for row in out.decode("utf-8", "replace").split("\n"):
        if row.startswith("\t"):
            lines.append(_blame_line(facts))
            facts = {}
        elif not facts and (header := _BLAME_HEADER.match(row)):
            facts = {"commit": header[1], "line": header[2]}
        elif facts:
            key, _, value = row.partition(" ")
            facts.setdefault(key, value)
    return lines


def _blame_line(facts: Mapping[str, str]) -> BlameLine:
    at = _time(facts.get("committer-time", "0"))
    return BlameLine(
        int(facts["line"]), facts["commit"], facts.get("author", ""), at, facts.get("summary", "")
    )


def parse_log(out: bytes) -> list[Commit]:
    """Return the commits of ``git log -z`` in LOG_FORMAT."""
    rows = (row.split("\x1f", 3) for row in out.decode("utf-8", "replace").split("\0") if row.strip())
    return [Commit(id_.strip(), author, _time(at), summary) for id_, author, at, summary in rows]


def parse_grep(out: bytes) -> list[Match]:
    """Return the lines of ``git grep -n -z`` in a commit."""
    matches = []
    for row in out.decode("utf-8", "surrogateescape").split("\n"):
        place, _, rest = row.partition("\0")
        number, _, text = rest.partition("\0")
        if number.isdigit():
            shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            matches.append(Match(place.partition(":")[2], int(number), shown.rstrip("\r")))
    return matches


def _time(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
