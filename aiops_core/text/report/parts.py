"""What an outline is made of: sections of plain parts, each cleaned and of a readable size."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from aiops_core.text.report.words import Say
from aiops_core.text.sanitising import clean

Kind = Literal["text", "notice", "link", "list", "steps", "facts", "meter", "code", "diff"]
MOST_ITEMS = 20
_LONGEST_URL = 2_000


class ReportPart(Struct, frozen=True):
    """One piece of a section, without any markup.

    ``text``, ``notice``: ``text``. ``link``: ``text`` leads to ``url``. ``list`` and ``steps``:
    the second of each of ``rows``. ``facts``: ``rows`` of name and value. ``meter``: ``text``
    says ``value``, 0 to 1. ``code`` and ``diff``: ``text`` under ``label``.
    """

    kind: Kind
    text: str = ""
    label: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    url: str = ""
    value: float = 0.0


class ReportSection(Struct, frozen=True):
    """Parts under one heading; the first section of an outline has none.

    ``name`` is the English heading, the same in every language.
    """

    name: str
    title: str
    parts: tuple[ReportPart, ...]


def section(name: str, parts: Iterable[ReportPart], say: Say) -> tuple[ReportSection, ...]:
    """Return the parts under their heading, nothing without parts."""
    kept = tuple(parts)
    return (ReportSection(name, say(name), kept),) if kept else ()


def line(text: str) -> str:
    """Return the cleaned text on one line."""
    return clean(text, keep_newlines=False)


def paragraph(text: str) -> tuple[ReportPart, ...]:
    """Return the text as a part, nothing when it is empty."""
    body = clean(text).strip()
    return (ReportPart("text", body),) if body else ()


def items(kind: Literal["list", "steps"], texts: Iterable[str], say: Say) -> tuple[ReportPart, ...]:
    """Return the first texts as one part, saying how many are left out; nothing without any."""
    kept = [body for text in texts if (body := clean(text).strip())]
    if len(kept) > MOST_ITEMS:
        kept[MOST_ITEMS:] = [say("… and {count} more", count=len(kept) - MOST_ITEMS)]
    return (ReportPart(kind, rows=tuple(("", text) for text in kept)),) if kept else ()


def facts(rows: Iterable[tuple[str, str]]) -> tuple[ReportPart, ...]:
    """Return the rows that have a value as one part, nothing without any."""
    kept = tuple((name, value) for name, text in rows if (value := line(text)))
    return (ReportPart("facts", rows=kept),) if kept else ()


def _lines_left_out(count: int, say: Say) -> str:
    return say("[… 1 line left out …]" if count == 1 else "[… {count} lines left out …]", count=count)


def excerpt(text: str, say: Say, *, lines: int, characters: int) -> str:
    """Return the cleaned text with its middle left out where it is too long to read."""
    body = clean(text).strip("\n")
    rows = body.split("\n")
    if len(rows) > lines:
        head, tail = lines * 2 // 3, lines - lines * 2 // 3
        left_out = _lines_left_out(len(rows) - lines, say)
        body = "\n".join([*rows[:head], left_out, *rows[-tail:]])
    if len(body) > characters:
        head, tail = characters * 2 // 3, characters - characters * 2 // 3
        left_out = say("[… {count} characters left out …]", count=len(body) - characters)
        body = f"{body[:head]}\n{left_out}\n{body[-tail:]}"
    return body


def web_address(url: str) -> str:
    """Return the address when it is safe to link to: http or https, a host, no login; else ""."""
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(" \"'<>\\`{}|^")
    return url if is_safe and is_plain and len(url) <= _LONGEST_URL else ""


def moment(time: datetime) -> str:
    """Return the time to the second, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def length(seconds: float) -> str:
    """Return a length of time as people say it."""
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
