"""What ``go test`` prints, as text and with ``-json``; a package that is told as a whole is a test, too.

Without ``-v`` only failing tests are told, so that packages alone are counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from msgspec.structs import replace

from aiops_core.repair.results.record import Results, named

_TEST = re.compile(r"^ *--- (PASS|FAIL|SKIP): (\S+) \([\d.]+s\)$")
_PACKAGE = re.compile(r"^(ok  |FAIL)\t([^\s\[]\S*)(?:[\t ].*)?$", re.MULTILINE)
_STARTED = re.compile(r"^=== RUN ", re.MULTILINE)
_EMPTY = ("[no tests to run]", "[no test files]")
_ACTIONS = ("pass", "fail", "skip")


def read(output: str) -> Results | None:
    """Return the results, None where no package was tested."""
    events, lines = dict(_from_json(output)), dict(_from_text(output))
    if not events and not lines:
        return None
    results = named(lines | events)
    if events or _STARTED.search(output):
        return results
    return replace(results, tests=len(_PACKAGE.findall(output)))


def _from_text(output: str) -> Iterator[tuple[str, str]]:
    """Yield names and outcomes; the line of a package follows those of its tests."""
    tests: list[tuple[str, str]] = []
    for line in output.split("\n"):
        if match := _TEST.match(line):
            tests.append((match[2], match[1].lower()))
        elif match := _PACKAGE.match(line):
            package = match[2]
            yield from ((f"{package}.{test}", outcome) for test, outcome in tests)
            tests.clear()
            if not line.endswith(_EMPTY):
                yield package, "pass" if match[1] == "ok  " else "fail"


def _from_json(output: str) -> Iterator[tuple[str, str]]:
    for line in output.split("\n"):
        if not line.startswith('{"'):
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        action, package, test = (str(event.get(key, "")) for key in ("Action", "Package", "Test"))
        if package and action in _ACTIONS and (test or action != "skip"):
            yield f"{package}.{test}" if test else package, action
