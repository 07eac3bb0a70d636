"""JUnit's XML, which Surefire, Gradle, pytest, jest-junit and many others write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.parsers import expat

from aiops_core.repair.results.record import Results, named

_PRINTED = re.compile(r"<testsuites?[\s>].*?</testsuites>|<testsuite\s.*?</testsuite>", re.DOTALL)
_OUTCOMES = {"failure": "fail", "error": "fail", "skipped": "skip"}


class _Forbidden(Exception):
    """The document declares entities: nobody's test report does."""


def read(reports: Iterable[str]) -> Results | None:
    """Return the results of all reports, None without a readable one."""
    outcomes: dict[str, str] = {}
    readable = 0
    for text in reports:
        reader = _Reader(outcomes)
        readable += reader.take(text)
    return named(outcomes) if readable else None


def printed(output: str) -> list[str]:
    """Return the reports that stand in an output."""
    return _PRINTED.findall(output) if "</testsuite" in output else []


class _Reader:
    """Read one report into outcomes by name; names that repeat are numbered."""

    def __init__(self, outcomes: dict[str, str]) -> None:
        self._outcomes = outcomes
        self._suites: list[str] = []
        self._case = ""

    def take(self, text: str) -> bool:
        """Return whether the text is a report; what was read before a fault stays."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = _forbid
        try:
            parser.Parse(text, True)
        except (expat.ExpatError, _Forbidden):
            return False
        return True

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "testsuite":
            self._suites.append(attributes.get("name", ""))
        elif tag == "testcase":
            parts = (*self._suites, attributes.get("classname", ""), attributes.get("name", ""))
            self._case = self._unused(" > ".join(dict.fromkeys(filter(None, parts))))
            self._outcomes[self._case] = "pass"
        elif self._case and tag in _OUTCOMES:
            self._outcomes[self._case] = _OUTCOMES[tag]

    def _end(self, tag: str) -> None:
        if tag == "testsuite":
            self._suites.pop()
        elif tag == "testcase":
            self._case = ""

    def _unused(self, name: str) -> str:
        number, candidate = 1, name
        while candidate in self._outcomes:
            number += 1
            candidate = f"{name} ({number})"
        return candidate


def _forbid(*_: object) -> None:
    raise _Forbidden
