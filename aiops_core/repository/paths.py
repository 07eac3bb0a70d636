"""From the file a stack frame names to the file of the repository."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from urllib.parse import unquote

from msgspec import Struct

from aiops_core.text.lazy import lazy_pattern

MAX_CANDIDATES = 5
_DRIVE = lazy_pattern(r"^/?(?:\\\\\?\\)?(?:[A-Za-z]:)(?=[\\/])")
_LONG_UNC = lazy_pattern(r"^\\\\\?\\UNC(?=\\)", re.IGNORECASE)
_SCHEME = lazy_pattern(r"^[a-z][a-z0-9+.-]*://[^/]*|^(?:jar|nested|file|zip):(?=/|file:)", re.IGNORECASE)
_BUNDLE = lazy_pattern(r"^webpack(?:-internal)?://", re.IGNORECASE)
_ARCHIVE = lazy_pattern(r"^.*!/?")
_PACKAGES = r"(?:site|dist)-packages|node_modules"
_INSTALLED = lazy_pattern(_PACKAGES)
_VENDORED = lazy_pattern(rf"{_PACKAGES}|vendor|python\d(?:\.\d+)?t?|.+@v\d[^/]*")
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "package.json")


class Ambiguous(Struct, frozen=True):
    """Several files of the repository fit equally well; up to five of them."""

    candidates: tuple[str, ...]


def segments(path: str) -> tuple[str, ...]:
    """Return the names of a path of any system or URL, without drive, scheme and ``.``; keeps ``..``."""
    path = path.strip()
    while scheme := _SCHEME.match(path):
        path = unquote(path[scheme.end() :].partition("?")[0])
    path = _DRIVE.sub("", _LONG_UNC.sub(r"\\", path)).replace("\\", "/")
    return tuple(part for part in path.split("/") if part not in ("", "."))


def map_frame(file: str, files: Collection[str], roots: Mapping[str, str]) -> str | Ambiguous | None:
    """Return the tracked file that a frame's file is, Ambiguous where several fit, else None.

    ``roots`` (deployed prefix to repository prefix) decide first, the longest first and by whole
    segments; then an equal path; then the one tracked file that ends with the most segments in
    common. Installed packages are the repository's own where it has their project file and the
    whole path of the file in the package. Other vendored files, and escaping paths, are nobody's.
    On Windows paths case does not matter.
    """
    parts = _frame_segments(file)
    if not parts or ".." in parts:
        return None
    fold = str.casefold if _is_windows(file) else str
    rooted = strip_roots(parts, roots, fold)
    if rooted is not None:
        return _only([path for path in files if fold(path) == fold("/".join(rooted))])
    if "/".join(parts) in files:
        return "/".join(parts)
    if own := _own_package(parts, files):
        return own
    return _by_suffix(parts, files, fold)


def is_installed(file: str) -> bool:
    """Return whether a frame's file is in an installed package, another's or the repository's own."""
    return any(_INSTALLED.fullmatch(part) for part in segments(file))


def strip_roots(
    parts: Sequence[str], roots: Mapping[str, str], fold: Callable[[str], str] = str
) -> tuple[str, ...] | None:
    """Return the path under the longest configured root it starts with, None without one."""
    known = sorted(((segments(root), to) for root, to in roots.items()), key=lambda pair: -len(pair[0]))
    for root, to in known:
        if len(root) < len(parts) and [*map(fold, parts[: len(root)])] == [*map(fold, root)]:
            return (*segments(to), *parts[len(root) :])
    return None


def common_suffix(one: Sequence[str], two: Sequence[str]) -> int:
    """Return how many names two paths have in common, counted from their ends."""
    count = 0
    for left, right in zip(reversed(one), reversed(two), strict=False):
        if left != right:
            break
        count += 1
    return count


def _frame_segments(file: str) -> tuple[str, ...]:
    """Return the names of a frame's file: inside its archive, and from where a bundler began."""
    parts = segments(_ARCHIVE.sub("/", file))
    if _BUNDLE.match(file.strip()):
        while parts and parts[0] == "..":
            parts = parts[1:]
    return parts


def _is_windows(file: str) -> bool:
    return file.strip().startswith("\\\\") or _DRIVE.match(_SCHEME.sub("", file.strip())) is not None


def _only(paths: Sequence[str]) -> str | Ambiguous | None:
    if len(paths) > 1:
        return Ambiguous(tuple(sorted(paths)[:MAX_CANDIDATES]))
    return paths[0] if paths else None


def _own_package(parts: Sequence[str], files: Collection[str]) -> str | None:
    """Return the source of an installed file, where the repository is its package's project."""
    at = max((number for number, part in enumerate(parts) if _INSTALLED.fullmatch(part)), default=-1)
    inside = parts[at + 1 :] if at >= 0 else ()
    inside = inside[1:] if inside and inside[0].startswith("@") else inside
    if len(inside) < 2:
        return None
    tail = "/".join(inside)
    found = [
        path
        for path in files
        if (path == tail or path.endswith(f"/{tail}")) and not _is_vendored(path.split("/"))
    ]
    package = f"{found[0].removesuffix(tail)}{inside[0]}" if len(found) == 1 else ""
    return found[0] if package and _has_project(package, files) else None


def _has_project(package: str, files: Collection[str]) -> bool:
    """Whether a directory, or one of the two above it, is the root of a project."""
    names = package.split("/")
    places = ["/".join([*names[:count], ""]) for count in range(max(len(names) - 2, 0), len(names) + 1)]
    return any(f"{place.lstrip('/')}{name}" in files for place in places for name in _PROJECT_FILES)


def _by_suffix(
    parts: Sequence[str], files: Collection[str], fold: Callable[[str], str]
) -> str | Ambiguous | None:
    vendored, folded = _is_vendored(parts), [*map(fold, parts)]
    best, found = 0, list[str]()
    for path in files:
        if not fold(path).endswith(folded[-1]):
            continue
        names = path.split("/")
        count = common_suffix(folded, [*map(fold, names)])
        if count == 0 or count < best or (vendored and not _is_vendored(names)):
            continue
        found = [path] if count > best else [*found, path]
        best = count
    return _only(found)


def _is_vendored(parts: Sequence[str]) -> bool:
    return any(_VENDORED.fullmatch(part) for part in parts)
