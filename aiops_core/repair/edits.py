"""Apply a set of edits in memory: all of them or none, every untouched byte as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from aiops_core.errors import Refused
from aiops_core.records import ChangedFile, Edit
from aiops_core.repair.diff import added_text, source_text, unified_diff
from aiops_core.repair.search import has_match, replace_once
from aiops_core.repair.textfile import NotText, is_generated, open_text, unify_line_ends
from aiops_core.repair.weakening import check_weakening
from aiops_core.text.lookalikes import lookalikes
from aiops_core.text.sanitising import hidden_characters

Read: TypeAlias = Callable[[str], bytes | None]
Inspect: TypeAlias = Callable[[str, str], None]
"""Called with a path and the text a change adds to it; raises Refused to stop the change."""
MAX_EDITS = 200
MAX_FILE = 1 << 20
_NEW_FILE = "100644"


def apply_edits(
    edits: Sequence[Edit],
    read: Read,
    *,
    mode: Callable[[str], str] = lambda path: _NEW_FILE,
    inspect: Inspect = lambda path, text: None,
) -> tuple[ChangedFile, ...]:
    """Return the files as the edits leave them, in order of their paths.

    ``read`` gives a file at the base commit, None where there is none; ``mode`` its git mode.
    Edits apply in their order, each to what the earlier ones left. Raise Refused, and change
    nothing, for the first edit that cannot be applied and for a set that changes nothing.
    """
    if not edits:
        raise Refused("the answer proposes no edit. Propose at least one.", rule="no-op")
    if len(edits) > MAX_EDITS or sum(len(e.search) + len(e.replace) for e in edits) > 4 * MAX_FILE:
        raise Refused(f"more than {MAX_EDITS} edits or 4 MB of them. Propose fewer.", rule="size")
    tree = _Tree(read, mode)
    for number, edit in enumerate(edits):
        tree.apply(edit, f"edits[{number}] ({edit.path})")
    changed = tree.changed()
    _check(changed, tree.before, inspect)
    return changed


def matches(content: bytes | None, search: str) -> bool:
    """Return whether an edit's search text finds its one place in a file."""
    try:
        return content is not None and has_match(open_text(content).text, unify_line_ends(search))
    except NotText:
        return False


class _Tree:
    """The files as the edits so far left them."""

    def __init__(self, read: Read, mode: Callable[[str], str]) -> None:
        self._read = read
        self._mode = mode
        self.before: dict[str, bytes | None] = {}
        self._after: dict[str, bytes | None] = {}
        self._modes: dict[str, str] = {}

    def apply(self, edit: Edit, where: str) -> None:
        match edit.kind:
            case "replace":
                self._replace(edit, where)
            case "create":
                self._create(
                    edit.path, edit.replace.encode("utf-8", "replace"), edit.mode or _NEW_FILE, where
                )
            case "delete":
                self._delete(edit.path, where)
            case "rename":
                content = self._existing(edit.path, where)
                self._create(edit.to, content, self._modes[edit.path], where)
                self._delete(edit.path, where)

    def changed(self) -> tuple[ChangedFile, ...]:
        files = tuple(
            ChangedFile(path, content, self._modes[path])
            for path, content in sorted(self._after.items())
            if content != self.before[path]
        )
        if not files:
            raise Refused("the edits change nothing. Propose a change that fixes the problem.", rule="no-op")
        return files

    def _replace(self, edit: Edit, where: str) -> None:
        if edit.search == edit.replace:
            raise Refused(f"{where}: search and replace are the same. Propose a real change.", rule="no-op")
        content = self._existing(edit.path, where)
        if is_generated(content):
            raise Refused(
                f"{where}: a program generates this file. Change what it is generated from.", rule="generated"
            )
        with _text_only(where):
            file = open_text(content)
        search, replace = unify_line_ends(edit.search), unify_line_ends(edit.replace)
        if file.bom:
            search, replace = search.removeprefix("\ufeff"), replace.removeprefix("\ufeff")
        if file.encoding != "utf-8":
            _check_visible(edit.path, search, replace)  # more to the point than what cannot be encoded
        with _text_only(where):
            new = file.encode(replace_once(file.text, search, replace, where=where))
        self._put(edit.path, new, where)

    def _create(self, path: str, content: bytes, mode: str, where: str) -> None:
        if self._get(path) is not None:
            raise Refused(f"{where}: {path} exists already. Use 'replace' to change it.", rule="path")
        self._modes[path] = mode
        self._put(path, content, where)

    def _delete(self, path: str, where: str) -> None:
        self._existing(path, where)
        self._after[path] = None

    def _existing(self, path: str, where: str) -> bytes:
        content = self._get(path)
        if content is None:
            raise Refused(f"{where}: {path} does not exist. Check the path.", rule="path")
        return content

    def _get(self, path: str) -> bytes | None:
        if path not in self.before:
            self.before[path] = self._after[path] = self._read(path)
            self._modes[path] = self._mode(path)
        return self._after[path]

    def _put(self, path: str, content: bytes, where: str) -> None:
        if "\x00" in source_text(content):
            raise Refused(f"{where}: the new file is binary. Write text.", rule="not-text")
        if len(content) > MAX_FILE:
            raise Refused(f"{where}: the file is larger than 1 MB. Change another file.", rule="size")
        self._after[path] = content


@contextmanager
def _text_only(where: str) -> Iterator[None]:
    try:
        yield
    except NotText as error:
        raise Refused(f"{where}: {error}. Change another file.", rule="not-text") from None


def _check(changed: Sequence[ChangedFile], before: Mapping[str, bytes | None], inspect: Inspect) -> None:
    diff = unified_diff(before, changed)
    for file in changed:
        if file.content is not None:
            _check_visible(file.path, source_text(before[file.path]), source_text(file.content))
            check_weakening(file.path, source_text(before[file.path]), source_text(file.content))
        inspect(file.path, added_text(diff, file.path))


def _check_visible(path: str, old: str, new: str) -> None:
    if added := hidden_characters(new) - hidden_characters(old):
        raise Refused(
            f"{path}: the fix adds the invisible character U+{ord(min(added)):04X}. Write it as an escape.",
            rule="invisible-characters",
        )
    if mixed := lookalikes(new) - lookalikes(old):
        raise Refused(
            f"{path}: the fix adds {ascii(min(mixed))[1:-1]}, a word of letters that look like others. "
            "Write it in one script.",
            rule="invisible-characters",
        )
