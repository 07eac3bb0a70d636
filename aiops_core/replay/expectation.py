"""What was expected, as YAML people can read, and how it differs from what came."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Indent lists below their key, and write texts of several lines as such."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def written(value: object) -> str:
    """Return YAML, sorted by key: the same for the same value."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=100)


def difference(expected: object, found: object) -> str:
    """Return what changed as a unified diff, "" where nothing did."""
    lines = unified_diff(
        written(expected).splitlines(), written(found).splitlines(), "expected", "found", n=4, lineterm=""
    )
    return "\n".join(lines)


def narrowed(found: Any, expected: Any) -> Any:  # Any: plain data
    """Return of what was found only what an expectation speaks of, in its place."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return {key: narrowed(found[key], part) for key, part in expected.items() if key in found}
    if isinstance(expected, list) and isinstance(found, list):
        pairs = [narrowed(one, part) for one, part in zip(found, expected, strict=False)]
        return pairs + found[len(expected) :]
    return found
