"""The model's words made fit for branches, commits and requests: one line, defused, bounded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from aiops_core.records import Analysis, Change, Incident
from aiops_core.repair.diff import common_start
from aiops_core.repair.layout import is_test
from aiops_core.text.lazy import lazy_pattern
from aiops_core.text.sanitising import clean, defuse

TITLE = 72
_AREA = 24
_ENTRANCES = frozenset(("__init__", "index", "main", "mod", ""))
_GENERIC = _ENTRANCES | frozenset(
    [
        "src",
        "lib",
        "app",
        "apps",
        "pkg",
        "cmd",
        "internal",
        "source",
        "sources",
        "packages",
        "services",
        "java",
        "kotlin",
        "python",
        "com",
        "org",
    ]
)
_CLOSING = lazy_pattern(
    r"\b((?:clos|fix|resolv|implement)(?:e[sd]?|ing)?|complete[sd]?)(\s*:?\s+(?:issues?\s+)?)"
    r"([^\s()]*(?:[#＃]\d|/issues/\d|\bGH.\d|\b[A-Z][A-Z0-9_]+-\d)\S*)",
    re.IGNORECASE,
)
_OWN_PREFIX = lazy_pattern(r"^\s*fix(?:\([\w ./-]*\))?\s*:\s*", re.IGNORECASE)


def spare_issues(text: str) -> str:
    """Return the text with brackets round what a forge would close because of the word before it."""
    return _CLOSING.sub(r"\1\2(\3)", text)


def shorten(text: str, limit: int) -> str:
    """Return at most ``limit`` characters, cut at a word where that loses little."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    return (head[:space] if space > limit * 2 // 3 else head).rstrip() + "…"


def one_line(text: str, limit: int) -> str:
    """Return untrusted text as one plain line that pings, closes and links nothing."""
    return shorten(spare_issues(" ".join(defuse(clean(text, keep_newlines=False)).split())), limit)


def error_name(incident: Incident) -> str:
    """Return the error's own name, without package or module: ``KeyError``."""
    name = clean(incident.type, keep_newlines=False)
    return re.split(r"[.:/\\$]", name)[-1].strip() or name or "error"


def place_name(incident: Incident) -> str:
    """Return the function the error was raised in, as the program itself has it, else its file."""
    frames = incident.event.own_frames if incident.events else ()
    if not frames:
        return ""
    frame = frames[-1]
    function = re.split(r"::|[.#/]", frame.function.removesuffix("()"))[-1]
    if re.search(r"\w", function) and not function.startswith("<"):
        return function
    return PurePosixPath(frame.file.replace("\\", "/")).name or frame.module


def commit_subject(incident: Incident, analysis: Analysis, change: Change) -> str:
    """Return ``fix(<area>): <what>`` in at most 72 characters."""
    title = _OWN_PREFIX.sub("", clean(analysis.title, keep_newlines=False))
    title = title or _OWN_PREFIX.sub("", clean(incident.title, keep_newlines=False)) or incident.type
    area = _area([file.path for file in change.files])
    return one_line(f"fix({area}): {title}" if area else f"fix: {title}", TITLE)


def _area(paths: Sequence[str]) -> str:
    """Name the part of the program: the one file that changes, else the directory all have in common."""
    own = [PurePosixPath(path) for path in paths if not is_test(path)] or [
        PurePosixPath(path) for path in paths
    ]
    stem = re.sub(r"\..*", "", own[0].name) if len(own) == 1 else ""
    folders = [name for name in _common(own) if name.lower() not in _GENERIC]
    name = stem if stem.lower() not in _ENTRANCES else folders[-1] if folders else ""
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")[:_AREA]


def _common(paths: Sequence[PurePosixPath]) -> Sequence[str]:
    first, *rest = (path.parent.parts for path in paths)
    same = len(first)
    for parts in rest:
        same = min(same, common_start(first, parts))
    return first[:same]
