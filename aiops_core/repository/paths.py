"""From the file a stack frame names to the file of the repository."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

MAX_CANDIDATES = 5
_DRIVE = re.compile(r"^(?:[A-Za-z]:|\\\\\?\\[A-Za-z]:)(?=[\\/])")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)
_VENDORED = re.compile(r"(?:site|dist)-packages|node_modules|vendor|python\d(?:\.\d+)?t?")


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several files of the repository fit equally well; up to five of them."""

    candidates: tuple[str, ...]


def segments(path: str) -> tuple[str, ...]:
    """Return the names of a path of any system, without drive, scheme and ``.``; keeps ``..``."""
    path = _SCHEME.sub("", _DRIVE.sub("", path.strip())).replace("\\", "/")
    return tuple(part for part in path.split("/") if part not in ("", "."))


def map_frame(file: str, files: Collection[str], roots: Mapping[str, str]) -> str | Ambiguous | None:
    """Return the tracked file that a frame's file is, Ambiguous where several fit, else None.

    ``roots`` (deployed prefix to repository prefix) decide first, the longest first and by whole
    segments; then an equal path; then the one tracked file that ends with the most segments in
    common. Vendored and escaping paths are nobody's.
    """
    parts = segments(file)
    if not parts or ".." in parts:
        return None
    rooted = strip_roots(parts, roots)
    if rooted is not None:
        path = "/".join(rooted)
        return path if path in files else None
    if "/".join(parts) in files:
        return "/".join(parts)
    return _by_suffix(parts, files)


def strip_roots(parts: Sequence[str], roots: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the path under the longest configured root it starts with, None without one."""
    known = sorted(((segments(root), to) for root, to in roots.items()), key=lambda pair: -len(pair[0]))
    for root, to in known:
        if len(root) < len(parts) and tuple(parts[: len(root)]) == root:
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


def _by_suffix(parts: Sequence[str], files: Collection[str]) -> str | Ambiguous | None:
    vendored = _is_vendored(parts)
    best, found = 0, list[str]()
    for path in files:
        if not path.endswith(parts[-1]):
            continue
        names = path.split("/")
        count = common_suffix(parts, names)
        if count == 0 or count < best or (vendored and not _is_vendored(names)):
            continue
        found = [path] if count > best else [*found, path]
        best = count
    if len(found) > 1:
        return Ambiguous(tuple(sorted(found)[:MAX_CANDIDATES]))
    return found[0] if found else None


def _is_vendored(parts: Sequence[str]) -> bool:
    return any(_VENDORED.fullmatch(part) for part in parts)
