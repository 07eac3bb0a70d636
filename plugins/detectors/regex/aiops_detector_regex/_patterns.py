"""Read patterns from settings and files, and say every mistake in them at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from aiops_core import Severity, UserError, parse_severity
from aiops_detector_regex._engine import Search, compile_search
from aiops_detector_regex._literals import MIN_BYTES, triggers_of

DEFAULT_FILE = Path(__file__).with_name("error_patterns.yaml")
_KEYS = ("regex", "name", "severity")


class Pattern(Struct, frozen=True):
    """One pattern, ready to search."""

    name: str
    severity: Severity
    language: str
    is_anchored: bool
    triggers: tuple[str, ...]
    search: Search


class Entry(Struct, frozen=True):
    """One pattern as written, and where."""

    where: str
    regex: str
    name: str
    severity: str = "error"
    language: str = ""


def compile_patterns(entries: list[Entry]) -> tuple[Pattern, ...]:
    """Compile all entries; raise one UserError that names every entry that cannot work."""
    patterns: list[Pattern] = []
    problems: list[str] = []
    for entry in entries:
        try:
            patterns.append(_compile(entry))
        except ValueError as error:
            problems.append(f"{entry.where} ({entry.name}): {error}")
    if problems:
        raise UserError("\n".join(problems))
    return tuple(patterns)


def _compile(entry: Entry) -> Pattern:
    try:
        triggers = triggers_of(entry.regex)
        search = compile_search(entry.regex)
    except (re.error, ValueError) as error:
        raise ValueError(
            f"regex {entry.regex!r}: {error}. Write a valid regular expression without look-around "
            "and back-references"
        ) from None
    if not triggers:
        raise ValueError(
            f"regex {entry.regex!r}: no {MIN_BYTES} literal characters in a row that every match has. "
            "Add some, or the whole log would be looked at line by line"
        )
    return Pattern(
        name=entry.name,
        severity=parse_severity(entry.severity),
        language=entry.language,
        is_anchored=entry.regex.startswith("^"),
        triggers=triggers,
        search=search,
    )


def read_file(path: Path, shown: str) -> list[Entry]:
    """Read a file of the shape ``python: [{regex, name, severity}]``; ``shown`` names it in messages."""
    try:
        text = path.read_text(encoding="utf-8")
        root = _composed(text)
    except OSError as error:
        raise UserError(
            f"{shown}: cannot be read: {error.strerror}. Give a path relative to the pipeline file"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        line = f":{place.line + 1}" if place else ""
        reason = getattr(error, "problem", None) or "it is not UTF-8"
        raise UserError(f"{shown}{line}: not YAML: {reason}. Write it as {_SHAPE}") from None
    reader = _Reader(shown)
    entries = list(reader.entries(root))
    if reader.problems:
        raise UserError("\n".join(reader.problems))
    return entries


def _composed(text: str) -> yaml.Node | None:
    """Return the nodes of a file, read in C where it can be; what is no YAML is told in the words of yaml itself."""
    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


_SHAPE = "language: [{regex: ..., name: ..., severity: error}]"


class _Reader:
    """Walk over the nodes of one file, which know their lines."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self.problems: list[str] = []

    def entries(self, root: yaml.Node | None) -> Iterator[Entry]:
        if not isinstance(root, yaml.MappingNode):
            self._complain(root, "", f"no mapping. Write it as {_SHAPE}")
            return
        seen: set[str] = set()
        for key, items in root.value:
            if key.value in seen:
                self._complain(key, key.value, "stands here twice. Join the two lists")
            elif not isinstance(items, yaml.SequenceNode):
                self._complain(key, key.value, f"no list. Write it as {_SHAPE}")
            else:
                for index, item in enumerate(items.value):
                    yield from self._entry(item, key.value, f"{key.value}[{index}]")
            seen.add(key.value)

    def _entry(self, item: yaml.Node, language: str, where: str) -> Iterator[Entry]:
        fields = self._fields(item)
        if fields is None:
            self._complain(item, where, f"no pattern. Write it as {_SHAPE}")
            return
        unknown = [name for name in fields if name not in _KEYS]
        missing = [name for name in ("regex", "name") if not fields.get(name)]
        for name in unknown:
            self._complain(item, where, f"unknown key {name!r}. Use {', '.join(_KEYS)}")
        for name in missing:
            self._complain(item, where, f"no {name}. Add one")
        if not (unknown or missing):
            place = f"{self._shown}:{item.start_mark.line + 1}: {where}"
            yield Entry(place, fields["regex"], fields["name"], fields.get("severity", "error"), language)

    def _fields(self, item: yaml.Node) -> Mapping[str, str] | None:
        if not isinstance(item, yaml.MappingNode):
            return None
        pairs: list[tuple[Any, Any]] = item.value  # Any: nodes of any kind
        if not all(isinstance(value, yaml.ScalarNode) for pair in pairs for value in pair):
            return None
        return {key.value: value.value for key, value in pairs}

    def _complain(self, node: yaml.Node | None, where: str, text: str) -> None:
        place = f"{self._shown}:{node.start_mark.line + 1}" if node else self._shown
        self.problems.append(f"{place}: {where}: {text}" if where else f"{place}: {text}")
