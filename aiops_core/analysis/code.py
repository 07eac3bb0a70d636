"""The repository's side of the evidence: functions of the trace, their history, their tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath

from msgspec import Struct

from aiops_core.analysis.source import Excerpt, enclosing, numbered
from aiops_core.records import Event, Evidence, Frame
from aiops_core.repository import Ambiguous, Mirror, is_installed, map_frame, release_of
from aiops_core.settings import Repository
from aiops_core.text.encoding import decode_source
from aiops_core.text.phrases import counted

SEVERAL_FILES = " fits several files"
"""End of the title of a note that lists the files a path of the trace may be."""
UNKNOWN_RELEASE = " is not in the repository: the head of the branch is shown"
"""End of a note about the release an event came from."""
_MAX_SOURCES = 8
_MAX_FRAMES = 60
_MAX_TESTS = 2
_MAX_COMMITS = 8
_MAX_DEPLOYED = 20
_LARGEST_FILE = 1 << 20
_LONGEST_TEST = 200


class _Place(Struct):
    """One file of the trace and its suspect lines, the most telling first."""

    path: str
    lines: list[int]


class CodeReader:
    """Read what an event's trace names, at the commit that ran and at the one that is fixed."""

    def __init__(
        self,
        mirror: Mirror,
        repository: Repository,
        event: Event,
        commit: str = "",
        earlier: Sequence[Mapping[str, str]] = (),
    ) -> None:
        self.notes: list[Evidence] = []
        self._event = event
        self._earlier = earlier
        self._mirror = mirror
        self._head = commit or mirror.head(repository.branch)
        self._release = release_of(mirror, event.attributes, repository.release)
        self._commit = self._running_commit()
        self._places = self._map(event, repository)

    def sources(self) -> Iterator[Evidence]:
        """Yield the functions of the trace, the place of the raise first."""
        for place in self._places:
            lines = self._lines(self._commit, place.path)
            for excerpt, suspects in _excerpts(place, lines):
                shown = f"{place.path}, lines {excerpt.start}-{excerpt.end} of {len(lines)}"
                yield Evidence(
                    "source", shown, numbered(lines, excerpt, suspects), path=place.path, line=suspects[0]
                )
            yield from self._changed_since(place, lines)

    def blame(self) -> Iterator[Evidence]:
        """Yield who last changed the lines round each place of the trace."""
        for place in self._places[:3]:
            line = place.lines[0]
            found = self._mirror.blame(self._commit, place.path, max(1, line - 2), line + 2)
            rows = [
                f"{row.line}: {row.commit[:10]} {row.at:%Y-%m-%d}{self._age(row.at)} {row.author}: {row.summary}"
                for row in found
            ]
            if rows:
                title = f"who last changed {place.path} round line {line}"
                yield Evidence("blame", title, "\n".join(rows), path=place.path, line=line)

    def commits(self) -> Iterator[Evidence]:
        """Yield the latest commits that touched the files of the trace."""
        paths = [place.path for place in self._places]
        rows = self._mirror.log(self._head, paths, _MAX_COMMITS) if paths else []
        text = "\n".join(f"{row.id[:10]} {row.at:%Y-%m-%d %H:%M} {row.author}: {row.summary}" for row in rows)
        if text:
            yield Evidence("commit", f"latest commits that touched {', '.join(paths[:4])}", text)

    def deployed(self) -> Iterator[Evidence]:
        """Yield the commits between the last release without the error and the first one with it."""
        good = self._last_good() if self._release and self._release.commit else None
        if good is None:
            return
        rows = self._mirror.log(self._commit, limit=_MAX_DEPLOYED, since=good[1])
        paths = [place.path for place in self._places]
        touching = {row.id for row in self._mirror.log(self._commit, paths, _MAX_DEPLOYED, since=good[1])}
        rows.sort(key=lambda row: row.id not in touching)
        text = "\n".join(
            f"{'*' if paths and row.id in touching else ' '} {row.id[:10]} {row.at:%Y-%m-%d %H:%M} {row.author}: {row.summary}"
            for row in rows
        )
        title = f"commits after {good[0]} ({good[1][:12]}), the last release without the error, up to the one with it"
        if text:
            yield Evidence("commit", f"{title}; * touches a file of the trace", text)

    def tests(self) -> Iterator[Evidence]:
        """Yield the tests of the files of the trace, where their names tell."""
        for path in self._test_files()[:_MAX_TESTS]:
            lines = self._lines(self._head, path)
            excerpt = Excerpt(1, min(len(lines), _LONGEST_TEST))
            yield Evidence("source", f"tests: {path}", numbered(lines, excerpt), path=path, line=1)

    def _running_commit(self) -> str:
        """Return the commit the event's attributes name, else the head of the branch."""
        release = self._release
        if release is None:
            return self._head
        said = f"{release.attribute} {release.value}"
        if release.commit is None:
            self._note("commit", f"{said}{UNKNOWN_RELEASE}")
        elif release.commit != self._head:
            self._note(
                "commit", f"{said} is commit {release.commit[:12]}; the branch is at {self._head[:12]}"
            )
        return release.commit or self._head

    def _last_good(self) -> tuple[str, str] | None:
        """Return the release that ran before, as earlier events tell, or else the tag before."""
        for attributes in self._earlier:
            release = release_of(self._mirror, attributes)
            if release is None or release.commit is None or release.commit == self._commit:
                continue
            if self._mirror.has_ancestor(self._commit, release.commit):
                return f"{release.attribute} {release.value}", release.commit
        tagged = self._mirror.tag_before(self._commit)
        return (f"tag {tagged[0]}", tagged[1]) if tagged else None

    def _age(self, changed: datetime) -> str:
        """Say how long before the error a line was changed."""
        moment = self._event.occurred_at or self._event.read_at
        if moment is None or moment.tzinfo is None or moment < changed:
            return ""
        days = (moment - changed).days
        return f" ({counted(days, 'day')} before the error)" if days else " (within a day before the error)"

    def _note(self, title: str, text: str) -> None:
        note = Evidence("note", title, text)
        self.notes += [note] if note not in self.notes else []

    def _map(self, event: Event, repository: Repository) -> list[_Place]:
        places: dict[str, _Place] = {}
        files = self._mirror.files(self._commit)
        for frame in _telling_frames(event):
            path = _find(frame, files, repository.paths)
            if isinstance(path, Ambiguous):
                self._note(f"{frame.file}{SEVERAL_FILES}", "\n".join(path.candidates))
            elif path is not None and files[path].is_file and files[path].size <= _LARGEST_FILE:
                place = places.setdefault(path, _Place(path, []))
                if frame.line not in place.lines:
                    place.lines.append(frame.line)
        return list(places.values())[:_MAX_SOURCES]

    def _lines(self, commit: str, path: str) -> list[str]:
        content = self._mirror.read(commit, path) or b""
        return decode_source(content).text.replace("\r\n", "\n").split("\n")

    def _changed_since(self, place: _Place, lines: Sequence[str]) -> Iterator[Evidence]:
        """Yield the same function as it stands on the branch, when it is another one there."""
        if self._commit == self._head:
            return
        if place.path not in self._mirror.files(self._head):
            yield Evidence(
                "note", f"{place.path} is gone from the branch", "It was there at the commit that ran."
            )
            return
        now = self._lines(self._head, place.path)
        line = _moved(lines, now, place.lines[0])
        excerpt = enclosing(place.path, now, line)
        if now[excerpt.start - 1 : excerpt.end] not in _windows(lines, excerpt):
            title = (
                f"{place.path} on the branch today, where edits apply: lines {excerpt.start}-{excerpt.end}"
            )
            yield Evidence("source", title, numbered(now, excerpt), path=place.path, line=line)

    def _test_files(self) -> list[str]:
        wanted = {name for place in self._places for name in _test_names(place.path)}
        return sorted(path for path in self._mirror.files(self._head) if PurePosixPath(path).name in wanted)


def _telling_frames(event: Event) -> list[Frame]:
    """Return the frames worth reading, of each exception from the raise outwards.

    Those are ours and those of installed packages, which may be ours; else all there are.
    """
    frames = [frame for error in event.exceptions for frame in reversed(error.frames) if frame.line]
    ours = any(frame.in_app for frame in frames)
    telling = [frame for frame in frames if not ours or frame.in_app or is_installed(frame.file)]
    return list(dict.fromkeys(telling))[:_MAX_FRAMES]


def _find(frame: Frame, files: Collection[str], roots: dict[str, str]) -> str | Ambiguous | None:
    """Map a frame by its file; where only its last name is known, by its module too."""
    found = map_frame(frame.file, files, roots)
    if isinstance(found, Ambiguous) and "/" not in frame.file.replace("\\", "/") and frame.module:
        folders = frame.module.replace("::", ".").split(".")[:-1]
        deeper = map_frame("/".join([*folders, frame.file]), files, roots)
        return found if deeper is None else deeper
    return found


def _excerpts(place: _Place, lines: Sequence[str]) -> list[tuple[Excerpt, list[int]]]:
    """Return the functions of one file, each with the lines of the trace it holds."""
    found: list[tuple[Excerpt, list[int]]] = []
    for line in place.lines[:_MAX_SOURCES]:
        excerpt = enclosing(place.path, lines, line)
        known = next((suspects for other, suspects in found if line in other), None)
        if known is None:
            found.append((excerpt, [line]))
        else:
            known.append(line)
    return found


def _moved(before: Sequence[str], now: Sequence[str], line: int) -> int:
    """Return where a line is today: the nearest equal one, else the same number."""
    text = before[line - 1] if 0 < line <= len(before) else ""
    same = [number for number, other in enumerate(now, 1) if text.strip() and other == text]
    return min(same, key=lambda number: abs(number - line), default=min(line, len(now)))


def _windows(lines: Sequence[str], excerpt: Excerpt) -> list[list[str]]:
    size = excerpt.end - excerpt.start + 1
    return [list(lines[start : start + size]) for start in range(max(1, len(lines) - size + 1))]


def _test_names(path: str) -> list[str]:
    name = PurePosixPath(path)
    stem, suffix = name.stem, name.suffix
    joined = re.sub(r"[^A-Za-z0-9]", "", stem)
    forms = (
        "test_{0}{1}",
        "{0}_test{1}",
        "{0}.test{1}",
        "{0}.spec{1}",
        "{0}Test{1}",
        "{0}Tests{1}",
        "{2}Test{1}",
    )
    return [form.format(stem, suffix, joined) for form in forms]
