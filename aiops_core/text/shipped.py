"""Find the JSON object in a line as fluentd and Fluent Bit write records: behind a time and a tag."""

from __future__ import annotations

import re

_TAG = r"[\w.*/-]{1,256}"
_FLUENTD = re.compile(
    rf"(?P<time>\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{{1,9}})?(?:Z| ?[+-]\d\d:?\d\d))"
    rf"(?: {_TAG}: |\t{_TAG}\t)(?=\{{)"
)
_FLUENT_BIT = re.compile(
    rf"(?:\[\d{{1,9}}\] )?{_TAG}: \[(?:\[(?P<time>1\d{{9}}\.\d{{1,9}}), \{{[^{{}}]*\}}\]|(?P<plain>1\d{{9}}\.\d{{1,9}})), (?=\{{)"
)
_ARROW = re.compile(r'(?<!\\)"=>')


def object_in(line: str) -> tuple[str, str] | None:
    """Return the JSON object of a record and the time written before it; None for any other line."""
    if line[:1] == "{":
        return line, ""
    if (found := _FLUENTD.match(line)) is not None:
        return line[found.end() :], found["time"]
    if (found := _FLUENT_BIT.match(line)) is None or not line.rstrip().endswith("}]"):
        return None
    return _ARROW.sub('":', line[found.end() :].rstrip()[:-1]), found["time"] or found["plain"]
