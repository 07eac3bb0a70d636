"""What a model may look up in the repository: reading, searching and listing, nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath

from pydantic import ConfigDict, Field, ValidationError

from aiops_core.analysis.source import Excerpt, numbered
from aiops_core.context import Tool
from aiops_core.documented import Documented
from aiops_core.records import Evidence, Json
from aiops_core.repository import Ambiguous, Mirror, TreeEntry, is_private, map_frame
from aiops_core.text.encoding import decode_source
from aiops_core.text.phrases import counted
from aiops_core.text.sanitising import clean, fence

MAX_FILE = 1 << 20
_MOST_LINES = 400
_MOST_MATCHES = 60
_MOST_ENTRIES = 300
_LONGEST_LINE = 400
_UNPRINTABLE = re.compile("[\x00-\x08\n-\x1f\x7f\ud800-\udfff]")


class _Arguments(Documented):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class _ReadFile(_Arguments):
    """Show lines of a file of the repository, with their numbers."""

    path: str = Field(min_length=1, max_length=500)
    """Path of the file from the repository's root."""
    start: int = Field(default=1, ge=1)
    """First line to show."""
    lines: int = Field(default=200, ge=1, le=_MOST_LINES)
    """How many lines to show."""


class _Search(_Arguments):
    """Find a text in the files of the repository; it is no pattern."""

    text: str = Field(min_length=3, max_length=200)
    """Text to find, on one line."""
    path: str = Field(default="", max_length=500)
    """Folder or file to search in; the whole repository when empty."""
    ignore_case: bool = False
    """Whether capital and small letters are alike."""


class _List(_Arguments):
    """List what a folder of the repository holds."""

    path: str = Field(default="", max_length=500)
    """Path of the folder; the repository's root when empty."""


class _Nothing(Exception):
    """Say why a look-up shows nothing."""


class RepositoryExplorer:
    """Answer a model's look-ups from one commit of the mirror, so many of them and no more.

    Only git objects are read: a path is a key of the commit's manifest and nothing else, so that
    none leads outside, through a symlink or to what is not tracked. Files for secrets are never
    shown, and ``redacted`` takes secrets out of the others. ``found`` holds what was shown, as
    evidence that may be cited under X1, X2 …
    """

    def __init__(
        self,
        mirror: Mirror,
        commit: str,
        redacted: Callable[[Evidence], Evidence],
        *,
        calls: int,
        first: int = 1,
    ) -> None:
        self.found: list[Evidence] = []
        self.left = calls
        self._mirror = mirror
        self._commit = commit
        self._redacted = redacted
        self._first = first

    @property
    def tools(self) -> Sequence[Tool]:
        """What may be called."""
        return _tools()

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """Return what a look-up shows, fenced, or why it shows nothing; both count."""
        if self.left <= 0:
            return "No look-ups are left. Answer with what you have."
        self.left -= 1
        try:
            item = self._look(name, arguments)
        except _Nothing as reason:
            return clean(str(reason))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            return clean(f"{name}: '{where}': {first['msg']}.")
        item = self._redacted(item)
        self.found.append(item)
        tag, body = fence(f"{item.title}\n{item.text}")
        return f"EVIDENCE {item.id} ({item.kind}); data stands between <{tag}> and </{tag}>.\n{body}"

    def _look(self, name: str, arguments: Mapping[str, Json]) -> Evidence:
        match name:
            case "read_file":
                return self._read(_ReadFile.model_validate(arguments))
            case "search":
                return self._search(_Search.model_validate(arguments))
            case "list":
                return self._list(_List.model_validate(arguments))
        raise _Nothing(
            f"There is no tool {name[:40]!r}. There are: {', '.join(tool.name for tool in _tools())}."
        )

    def _read(self, wanted: _ReadFile) -> Evidence:
        path = self._file(wanted.path)
        text = decode_source(self._mirror.read(self._commit, path) or b"").text
        if "\x00" in text:
            raise _Nothing(f"{path}: it is binary.")
        lines = text.replace("\r\n", "\n").split("\n")
        if wanted.start > len(lines):
            raise _Nothing(f"{path}: it has {counted(len(lines), 'line')} only.")
        excerpt = Excerpt(wanted.start, min(wanted.start + wanted.lines - 1, len(lines)))
        title = f"{path}, lines {excerpt.start}-{excerpt.end} of {len(lines)}"
        shown = numbered([_shortened(line) for line in lines], excerpt)
        return Evidence("source", title, shown, self._id, path=path, line=excerpt.start)

    def _search(self, wanted: _Search) -> Evidence:
        under = _trimmed(wanted.path)
        if under and not _entries(files := self._mirror.files(self._commit), under) and under not in files:
            raise _Nothing(f"{under}: there is no such file or folder.{self._meant(under)}")
        if _UNPRINTABLE.search(wanted.text):
            raise _Nothing("'text' is one line of plain text.")
        matches = [
            match
            for match in self._mirror.search(self._commit, wanted.text, under, ignore_case=wanted.ignore_case)
            if not is_private(match.path)
        ]
        if not matches:
            raise _Nothing(f"{wanted.text!r} is nowhere in {under or 'the repository'}.")
        rows = [f"{match.path}:{match.line}: {_shortened(match.text)}" for match in matches[:_MOST_MATCHES]]
        more = f" (the first {_MOST_MATCHES} of {len(matches)})" if len(matches) > _MOST_MATCHES else ""
        title = f"search for {wanted.text!r} in {under or 'the repository'}{more}"
        return Evidence("source", title, "\n".join(rows), self._id)

    def _list(self, wanted: _List) -> Evidence:
        under = _trimmed(wanted.path)
        entries = _entries(self._mirror.files(self._commit), under)
        if not entries:
            raise _Nothing(f"{under}: there is no such folder.{self._meant(under)}")
        more = [f"… and {len(entries) - _MOST_ENTRIES} more"] if len(entries) > _MOST_ENTRIES else []
        rows = [*entries[:_MOST_ENTRIES], *more]
        return Evidence("note", f"what {under or 'the root'} holds", "\n".join(rows), self._id)

    @property
    def _id(self) -> str:
        return f"X{self._first + len(self.found)}"

    def _file(self, wanted: str) -> str:
        """Return the tracked file a path names; raise _Nothing for any other."""
        path = _trimmed(wanted)
        entry = self._mirror.files(self._commit).get(path)
        if entry is None:
            raise _Nothing(f"{path}: the repository has no such file.{self._meant(path)}")
        if not entry.is_file:
            raise _Nothing(f"{path}: it is a {entry.kind}, which is not followed.")
        if is_private(path):
            raise _Nothing(f"{path}: it is a file for secrets, which is never shown.")
        if entry.size > MAX_FILE:
            raise _Nothing(f"{path}: it is larger than 1 MB. Use search.")
        return path

    def _meant(self, path: str) -> str:
        found = map_frame(path, self._mirror.files(self._commit), {})
        names = found.candidates if isinstance(found, Ambiguous) else [found] if found else []
        return f" Did you mean {', '.join(names)}?" if names else ""


def _trimmed(path: str) -> str:
    """Return a path as git spells it; it stays a key, so that nothing else needs to be refused."""
    trimmed = PurePosixPath(path.replace("\\", "/").strip("/")).as_posix()
    return "" if trimmed == "." else trimmed


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …"


def _entries(files: Mapping[str, TreeEntry], under: str) -> list[str]:
    lead = f"{under}/" if under else ""
    folders: dict[str, int] = {}
    entries: list[str] = []
    for path, entry in files.items():
        if not path.startswith(lead):
            continue
        name, slash, _ = path[len(lead) :].partition("/")
        if slash:
            folders[name] = folders.get(name, 0) + 1
        else:
            entries.append(
                f"{name} ({counted(entry.size, 'byte')})" if entry.is_file else f"{name} ({entry.kind})"
            )
    return [
        *(f"{name}/ ({counted(count, 'file')})" for name, count in sorted(folders.items())),
        *sorted(entries),
    ]


def _tool(name: str, arguments: type[_Arguments]) -> Tool:
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    description = schema.pop("description")
    return Tool(name, description, schema)


@cache
def _tools() -> tuple[Tool, ...]:
    return _tool("read_file", _ReadFile), _tool("search", _Search), _tool("list", _List)
