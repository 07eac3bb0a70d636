"""Tell where a program in another language begins to die: no message of an error above goes on there."""

from __future__ import annotations

import re
from functools import cache

from aiops_core.text.lazy import lazy_pattern

_DEATHS = {
    "cpp": r"=*\d*=*\s?ERROR: \w+Sanitizer: |terminate called |pure virtual method called$|.{1,400}: Assertion [`'‘]",
    "dart": r"Unhandled exception:$",
    "dotnet": r"Unhandled [Ee]xception[.:] \w",
    "elixir": r"\*\* \(\w",
    "go": r"panic: |fatal error: \w|goroutine \d+ \[",
    "java": r"Exception in thread \"",
    "javascript": r"Uncaught \w|(?:node:|file:|/|[A-Z]:\\)\S{1,400}:\d+$|\[\w*Error: .{0,400}\] \{$",
    "php": r"PHP (?:Fatal|Parse) error: |(?:exception|Exception) '[\w\\]+' with message '",
    "python": r"\s*(?:\+ Exception Group )?Traceback \(most recent call last\):|Exception ignored "
    r"|\s+File \"[^\"]{1,400}\", line \d+$",
    "ruby": r"\S{1,400}:\d+:in [`'].{1,1000}\([A-Z][\w:]*\)$| ?[A-Z][\w:]{0,200}(?:Error|Exception) \(.{0,1000}\):$",
    "rust": r"thread '[^']{0,200}' (?:\(\d+\) )?(?:panicked at |has overflowed)",
    "swift": r"Fatal error: \w",
}
"""What programs begin to say when they die, at the start of a line."""
_CALL = lazy_pattern(r"\s+(?:at|from) \S|\s*#[01]\s+\S|\s+\S{1,400}:\d+:in [`']|\tgoroutine ")
"""A call as it stands below the first line of a stack, in no language that says ``File "x", line 1``."""


def begins_to_die(line: str, language: str, *, below: str = "") -> bool:
    """Tell whether a line is the first of what a program in another language than this one dies with.

    With the line ``below`` whatever a stack stands under is such a line, too.
    """
    if _deaths_but(language).match(line):
        return True
    return line[:1].isalpha() and _CALL.match(below) is not None


@cache
def _deaths_but(language: str) -> re.Pattern[str]:
    return re.compile("|".join(death for other, death in _DEATHS.items() if other != language))
