"""What stands before the words of the kernel: times, callers, the envelope of syslog."""

from __future__ import annotations

from collections.abc import Callable

from aiops_core import lazy_pattern

LONGEST = 4096
Get = Callable[[int], str | None]
"""Return the words of line n, or None where nothing is known."""

_CALLER = r"\[ {0,8}[CT]\d{1,8}\] ?"
_PREFIX = lazy_pattern(
    r"(?:<\d{1,3}>)?"
    r"(?:(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.,]{8,20}(?:Z|[+-]\d\d:?\d\d)?) (?:[^\s\[]\S{0,254} )?)?"
    r"(?:\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)? )?"
    r"(?:(?:[+-]\d{4} (?:[A-Z]{2,5} )?)?kern\.[a-z]{3,7} )?(?:kernel: ?)?(?:<\d{1,3}>)?"
    r"(?:\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] ?)?"
    rf"(?:\[ {{0,12}}\d{{1,9}}\.\d{{1,9}}(?:@\d+)?\] ?)?(?:{_CALLER})?"
    r"(?:c\d{1,2} {1,6}\d{1,7} |-?\(\d{1,2}\)\[\d{1,7}:[^\]]{1,40}\]|\d{5}\.\d{5}> )?"
)
_STAMP_WITHIN = lazy_pattern(rf".{{1,200}}?\[ {{0,12}}\d{{1,9}}\.\d{{3,9}}\] ?(?:{_CALLER})?")


def words_of(line: str) -> str:
    """Return the line without what the console and its carriers put before it; indentation stays."""
    found = _PREFIX.match(line)
    return line[found.end() :] if found is not None else line


def after_prompt(line: str) -> str:
    """Return what a line says after a time in the middle of it: something else was printed on it before."""
    found = _STAMP_WITHIN.match(line[:400])
    return line[found.end() :] if found is not None else line
