"""What pytest prints: its short summary and its last line."""

from __future__ import annotations

import re

from aiops_core.repair.results.record import Results, counted

_NAME = r"((?:[^\s:]+\.py|[^\s:]+)(?:::(?:[^\[\n]+?(?:\[.*?\])?))?)(?: - .*)?$"
_FAILED = re.compile(rf"^(?:FAILED|ERROR|SUBFAILED\S*) {_NAME}", re.MULTILINE)
_PASSED = re.compile(rf"^PASSED {_NAME}", re.MULTILINE)
_END = re.compile(r"^(?:=+ )?((?:\d+ \w+|no tests ran)(?:, \d+ [\w ]+?)*) in [\d.:]+s?\b.*$", re.MULTILINE)
_SUMMARY = re.compile(r"^=+ short test summary info =+$|^PASSED [^\s:]+\.py::", re.MULTILINE)
_SKIPPED = ("skipped", "xfailed", "deselected")
_BAD = ("failed", "error", "errors")
_UNCOUNTED = ("warning", "warnings", "rerun", "deselected", "subtests passed")


def read(output: str) -> Results | None:
    """Return the results, None where pytest did not run; those named may have no last line (``-qq``)."""
    ends = _END.findall(output)
    if not ends and not _SUMMARY.search(output):
        return None
    failed = tuple(dict.fromkeys(_FAILED.findall(output)))
    passed = tuple(name for name in dict.fromkeys(_PASSED.findall(output)) if name not in failed)
    if not ends:
        return Results(len(failed) + len(passed), failed, 0, len(failed), passed)
    facts = [_fact(fact) for end in ends for fact in end.split(", ")]
    tests = sum(number for name, number in facts if name not in _UNCOUNTED)
    return Results(tests, failed, counted(facts, *_SKIPPED), counted(facts, *_BAD), passed)


def _fact(text: str) -> tuple[str, int]:
    number, _, name = text.partition(" ")
    return name, int(number) if number.isdigit() else 0
