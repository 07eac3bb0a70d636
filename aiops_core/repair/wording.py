"""The model's words made fit for branches, commits and requests: one line, defused, bounded."""

from __future__ import annotations

import re

from aiops_core.records import Analysis, Incident
from aiops_core.text.sanitising import clean, defuse

TITLE = 72
_CLOSING = re.compile(
    r"\b((?:clos|fix|resolv|implement)(?:e[sd]?|ing)?|complete[sd]?)(\s*:?\s+(?:issues?\s+)?)"
    r"([^\s()]*(?:[#＃]\d|/issues/\d|\bGH.\d|\b[A-Z][A-Z0-9_]+-\d)\S*)",
    re.IGNORECASE,
)
_OWN_PREFIX = re.compile(r"^\s*fix(?:\([\w ./-]*\))?\s*:\s*", re.IGNORECASE)


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


def subject(incident: Incident, analysis: Analysis) -> str:
    """Return ``fix: …`` in at most 72 characters, as commits and requests are titled."""
    title = _OWN_PREFIX.sub("", clean(analysis.title, keep_newlines=False))
    title = title or _OWN_PREFIX.sub("", clean(incident.title, keep_newlines=False)) or incident.type
    return one_line(f"fix: {title}", TITLE)
