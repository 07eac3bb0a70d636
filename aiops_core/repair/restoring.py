"""Edits of redacted text: what was taken out before a model saw it is put back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from aiops_core.errors import Refused
from aiops_core.records import Edit
from aiops_core.repair.diff import source_text
from aiops_core.text.redaction import PLACEHOLDER, placeholders

Originals: TypeAlias = Callable[[str], Mapping[str, str]]
"""Called with a file's text; returns what the placeholders of its redacted form stand for."""


def restored(edit: Edit, content: bytes | None, originals: Originals) -> Edit:
    """Return the edit with the file's own text for every placeholder it quotes.

    Raise Refused (rule ``redacted``) for a placeholder that stands for nothing in the file, and
    for one that only the new text has.
    """
    if not placeholders(edit.search + edit.replace + edit.to):
        return edit
    quoted = placeholders(edit.search)
    known = originals(source_text(content)) if quoted else {}
    texts = [
        PLACEHOLDER.sub(lambda match: known[match[0]] if match[0] in quoted else match[0], text)
        for text in (edit.search, edit.replace)
        if quoted <= set(known)
    ]
    if len(texts) < 2 or placeholders(texts[1] + edit.to):
        raise Refused(
            f"{edit.path}: the edit holds a redaction placeholder that stands for nothing there. "
            "Quote lines without one.",
            rule="redacted",
        )
    return replace(edit, search=texts[0], replace=texts[1])
