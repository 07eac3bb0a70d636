"""From the path a model writes to a file of the repository, or to a reason it can act on."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from aiops_core.errors import Refused
from aiops_core.repair.layout import check_layout, is_test, where_tests_go
from aiops_core.repository.history import TreeEntry
from aiops_core.repository.paths import MAX_CANDIDATES, segments, strip_roots
from aiops_core.text.lookalikes import lookalikes
from aiops_core.text.sanitising import clean

EditKind: TypeAlias = Literal["replace", "create", "delete", "rename"]
Manifest: TypeAlias = Mapping[str, TreeEntry]
_GIT_NAMES = re.compile(r"\.git|git~\d+", re.IGNORECASE)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_UNPORTABLE = re.compile(r'[:*?<>|"\\]|~\d')
MEANT = " was taken to mean "
"""Between the path a model wrote and the one it was resolved to, in the notes of a change."""
_RUN_DIRECTORY = ("workspaces", "*", "repo")
_SANDBOX_ROOT = "/work/"
_REPEATED = re.compile(r"(?:__init__|__main__|index|main|mod|README|setup)(?:\.\w+)*", re.IGNORECASE)


def resolve(
    path: str,
    *,
    kind: EditKind,
    files: Manifest,
    roots: Mapping[str, str] | None = None,
    strip: Collection[str] = (),
    fits: Callable[[str], bool] = lambda path: True,
) -> str:
    """Return the repository path an edit means; raise Refused (rule ``path``) with candidates.

    A tracked path is taken as it is. Then ``roots`` (deployed prefix to repository prefix), the
    prefixes in ``strip`` and those of runs and diffs are taken off by whole segments. Only for ``replace`` leading
    segments may be missing or too many, where one tracked file is left and ``fits`` (the search
    text matches there). ``create`` (also the target of a rename) is never guessed.
    """
    check_name(path)
    if kind == "create":
        return _new_path(path, files, roots or {}, strip)
    if path in files:
        return path
    for parts in _stripped(path, roots or {}, strip):
        if "/".join(parts) in files:
            return "/".join(parts)
    if kind == "replace" and (found := _by_segments(segments(path), files, fits)):
        return found
    raise _unknown(path, files)


def check_name(path: str) -> None:
    """Refuse (rule ``path-unsafe``) a path no edit may have, wherever it points."""
    parts = path.replace("\\", "/").split("/")
    reason = ""
    if not path.strip("/\\. "):
        reason = "is empty"
    elif clean(path) != path or "\n" in path or "\t" in path:
        reason = "holds control or invisible characters"
    elif path != path.strip():
        reason = "begins or ends with a blank"
    elif ".." in parts:
        reason = "leaves its directory with '..'"
    elif path.startswith("~"):
        reason = "points to a home directory"
    elif any(_GIT_NAMES.fullmatch(part.split(":")[0].rstrip(". ")) for part in _folded(path).split("/")):
        reason = "is inside git's own directory"
    elif len(path.encode("utf-8", "replace")) > 4000 or any(
        len(part.encode("utf-8", "replace")) > 255 for part in parts
    ):
        reason = "is too long"
    if reason:
        raise Refused(
            f"{clean(path)[:200]!r}: the path {reason}. Give a path relative to the repository's root.",
            rule="path-unsafe",
        )


def _folded(path: str) -> str:
    """Return the path as systems read it that take signs of one shape for one."""
    return unicodedata.normalize("NFKC", path).replace("\\", "/")


def check_portable(path: str) -> None:
    """Refuse (rule ``path-unsafe``) a new name that some systems cannot hold."""
    for part in path.split("/"):
        if (
            _RESERVED.fullmatch(part)
            or _UNPORTABLE.search(part)
            or part != part.rstrip(". ")
            or part != unicodedata.normalize("NFC", part)
            or lookalikes(part)
        ):
            raise Refused(
                f"{path!r}: the name {part!r} does not work on every system. Choose a plain name.",
                rule="path-unsafe",
            )


def candidates(path: str, files: Collection[str]) -> list[str]:
    """Return up to five tracked files the path may have meant, the likeliest first."""
    wanted = "/".join(segments(path))
    by_name: dict[str, list[str]] = {}
    for file in files:
        by_name.setdefault(file.rpartition("/")[2].casefold(), []).append(file)
    name = wanted.rpartition("/")[2].casefold()
    names = [name] if name in by_name else difflib.get_close_matches(name, by_name, n=3, cutoff=0.7)
    found = [file for near in names for file in by_name[near]]
    return difflib.get_close_matches(wanted, sorted(found), n=MAX_CANDIDATES, cutoff=0.0)


def _stripped(path: str, roots: Mapping[str, str], strip: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Yield the path with ever more known prefixes taken off, itself first."""
    parts = segments(path)
    yield parts
    known = {**dict.fromkeys((*strip, _SANDBOX_ROOT), ""), **roots}
    while True:
        shorter = _without_run_directory(parts) or strip_roots(parts, known) or _without_diff_side(parts)
        if shorter is None or shorter == parts or len(shorter) > len(parts) + 8:
            return
        parts = shorter
        yield parts


def _without_run_directory(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    size = len(_RUN_DIRECTORY)
    for start in range(len(parts) - size):
        window = parts[start : start + size]
        if all(want in ("*", part) for want, part in zip(_RUN_DIRECTORY, window, strict=True)):
            return parts[start + size :]
    return None


def _without_diff_side(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the path without the ``a`` or ``b`` that a diff puts before it."""
    return parts[1:] if len(parts) > 2 and parts[0] in ("a", "b") else None


def _by_segments(parts: Sequence[str], files: Manifest, fits: Callable[[str], bool]) -> str | None:
    """Return the one tracked file the path has too many or too few leading segments for."""
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        ends = [file for file in files if file == tail or file.endswith("/" + tail)]
        if not ends:
            continue
        found = tail if tail in files else ends[0]
        is_usable = tail in files or (start == 0 and len(ends) == 1)
        return (
            found
            if is_usable and fits(found) and not any(fits(end) for end in ends if end != found)
            else None
        )
    return None


def _new_path(path: str, files: Manifest, roots: Mapping[str, str], strip: Collection[str]) -> str:
    directories = _directories(files)
    options = ["/".join(parts) for parts in _stripped(path, roots, strip)]
    for option in options:
        check_parents(option, files)
    taken = next((option for option in options if option in files), "")
    if taken:
        raise Refused(f"{taken}: the file exists already. Use 'replace' to change it.", rule="path")
    found = next((option for option in options if _has_place(option, directories)), "")
    if not found or (path.startswith(("/", "\\")) and found == options[0]):
        raise _no_directory(path, options, files, directories)
    check_layout(found, files, directories)
    check_portable(found)
    _check_collision(found, files, directories)
    return found


def _has_place(path: str, directories: Collection[str]) -> bool:
    """Whether a new file's directory is there, or is one new one inside another that is.

    A new directory named like the one it is in is a prefix written twice.
    """
    directory = path.rpartition("/")[0]
    parent, _, name = directory.rpartition("/")
    is_near = bool(parent) and parent in directories and name != parent.rpartition("/")[2]
    return directory in directories or is_near


def _check_collision(path: str, files: Manifest, directories: Collection[str]) -> None:
    name = path.rpartition("/")[2]
    for there in (files, directories):
        taken = {_folded(one).casefold(): one for one in there}
        for part in (path, *_parents(path)):
            if (clash := taken.get(_folded(part).casefold(), part)) != part:
                raise Refused(
                    f"{part}: differs only in case from {clash}. Did you mean that one?", rule="path"
                )
    same = [file for file in files if file.rpartition("/")[2] == name]
    if len(same) == 1 and not _REPEATED.fullmatch(name):
        raise Refused(
            f"{path}: there is already {same[0]}, the only file of that name. "
            "Use 'replace' with that path, or choose another name.",
            rule="path",
        )


def check_parents(path: str, files: Manifest) -> None:
    """Refuse a path that leads through a symlink (S31), a submodule or a file."""
    parts = path.split("/")
    for count in range(1, len(parts)):
        parent = "/".join(parts[:count])
        if (entry := files.get(parent)) is not None:
            rule = entry.kind if entry.kind != "file" else "path"
            raise Refused(
                f"{path}: {parent} is a {entry.kind}, not a directory. Give the path of a regular file.",
                rule=rule,
            )


def _directories(files: Manifest) -> frozenset[str]:
    return frozenset({"", *(parent for file in files for parent in _parents(file))})


def _parents(path: str) -> Iterator[str]:
    """Yield the directories a path lies in, the innermost first."""
    while path := path.rpartition("/")[0]:
        yield path


def _no_directory(
    path: str, options: Sequence[str], files: Manifest, directories: Collection[str]
) -> Refused:
    top = sorted(directory for directory in directories if directory and "/" not in directory)
    listed = ", ".join(top[:10]) or "none"
    tests = f" {where_tests_go(files)}" if any(map(is_test, options)) else ""
    return Refused(
        f"{path}: its directory does not exist in the repository. Put new files into an existing "
        f"directory; at the root there are: {listed}.{tests}",
        rule="path",
    )


def _unknown(path: str, files: Manifest) -> Refused:
    check_parents("/".join(segments(path)), files)
    meant = candidates(path, files)
    hint = f"Did you mean {', '.join(meant)}?" if meant else "Give the path as git lists it."
    return Refused(f"{path}: the repository has no such file. {hint}", rule="path")
