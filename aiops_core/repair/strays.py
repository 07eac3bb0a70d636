"""What a fix changes that its incident does not lead to: a person looks at that first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiops_core.records import Analysis, Change, ChangedFile, Evidence, Question
from aiops_core.repair.diff import source_text
from aiops_core.repair.layout import is_test

_NAMED = 5
_IMPORTS = re.compile(r".*\.(?:pyi?|[cm]?[jt]sx?|vue|svelte)")
_MENTIONS = re.compile(r".*\.(?:java|kt|scala|groovy|cs|go|rs|rb|php|swift)")


def straying(
    change: Change, analysis: Analysis, evidence: Sequence[Evidence]
) -> tuple[tuple[Question, str], ...]:
    """Ask about files that neither the trace nor the repair steps name, that no such file uses, and that are no tests."""
    known = {item.path for item in evidence if item.path and not item.id.startswith("X")} | _named(analysis)
    led = [file for file in change.files if file.path in known]
    rest = [file for file in change.files if file not in led and not is_test(file.path)]
    while near := [file for file in rest if any(_go_together(file, other) for other in led)]:
        led += near
        rest = [file for file in rest if file not in near]
    if not rest:
        return ()
    names = ", ".join(file.path for file in rest[:_NAMED]) + (" …" if len(rest) > _NAMED else "")
    return (("outside-trace", f"it changes files that the trace does not lead to: {names}"),)


def _named(analysis: Analysis) -> set[str]:
    """Return the whole words of the repair steps: the paths among them are those of the plan."""
    words = re.split(r"[^\w./+@-]+", " ".join(analysis.repair_steps))
    return {*words, *(word.rstrip(".") for word in words)}


def _go_together(one: ChangedFile, other: ChangedFile) -> bool:
    """Return whether one of two files of code uses the other."""
    return _uses(one, other) or _uses(other, one)


def _uses(file: ChangedFile, used: ChangedFile) -> bool:
    folder, _, name = used.path.rpartition("/")
    stem = name.partition(".")[0]
    if stem in ("__init__", "index", "mod"):
        stem = folder.rpartition("/")[2]
    text, word = source_text(file.content), rf"(?<!\w){re.escape(stem)}(?!\w)"
    if _IMPORTS.fullmatch(file.path) and _IMPORTS.fullmatch(used.path):
        return re.search(rf"\b(?:import|from|require)\b[^\n]*{word}", text) is not None
    is_code = _MENTIONS.fullmatch(file.path) and _MENTIONS.fullmatch(used.path)
    return is_code is not None and re.search(word, text) is not None
