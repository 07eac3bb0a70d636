"""Let people decide what is the same problem: their rules come before the fingerprint's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from msgspec import Struct

from aiops_core.records import Event
from aiops_core.text.fingerprint import Part, digest, parts
from aiops_core.text.templates import ANY, mask

_CAP = 4096


class GroupingRule(Protocol):
    """One rule as people write it; an empty condition holds for every event."""

    @property
    def detector(self) -> str:
        """Name of the detector that found the event."""

    @property
    def type(self) -> str:
        """Pattern found in the type of an exception."""

    @property
    def message(self) -> str:
        """Pattern found in the message."""

    @property
    def path(self) -> str:
        """Pattern found in the file of a frame."""

    @property
    def key(self) -> str:
        """What all events the rule holds for are grouped by."""

    @property
    def mask(self) -> Sequence[str]:
        """Patterns of what varies in messages."""


class Pattern(Struct, frozen=True):
    """A pattern that takes linear time, or one on a capped text where the engine for it is missing."""

    search: Callable[[str], bool]
    mask: Callable[[str], str]


def compile_pattern(pattern: str) -> Pattern:
    """Compile what people wrote; raise ValueError for what is no pattern."""
    try:
        import re2  # type: ignore[import-untyped]
    except ImportError:
        return _with_re(pattern)
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Any = re2.compile(pattern, options=options)  # Any: re2 has no types
    except re2.error:
        hint = " (look-around and back-references are not known here)" if "(?" in pattern else ""
        raise ValueError(f"{pattern!r} is no regular expression{hint}") from None
    return Pattern(
        lambda text: compiled.search(_clean(text)) is not None,
        lambda text: str(compiled.sub(ANY, _clean(text))),
    )


def _with_re(pattern: str) -> Pattern:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    return Pattern(
        lambda text: compiled.search(text[:_CAP]) is not None,
        lambda text: compiled.sub(ANY, text[:_CAP]),
    )


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


class _Rule(Struct, frozen=True):
    name: str
    detector: str
    tests: Sequence[Callable[[Event], bool]]
    key: str
    masks: Sequence[Pattern]

    def holds(self, event: Event) -> bool:
        return self.detector in {"", event.detector} and all(test(event) for test in self.tests)


class Grouping:
    """Give every event its fingerprint: of the first rule with a key that holds, or of its own."""

    def __init__(self, rules: Sequence[GroupingRule] = ()) -> None:
        self._rules = [_compile(number, rule) for number, rule in enumerate(rules)]
        self.reads_messages = any(rule.message or rule.mask for rule in rules)
        """Whether events that differ in their messages only may belong to different problems."""

    def fingerprint(self, event: Event) -> str:
        """Return the fingerprint: by a rule, as the detector set it, or of the event's stable parts."""
        if not self._rules:
            return event.fingerprint or digest(parts(event))
        found = self.parts(event)
        if event.fingerprint and found[0].kind != "rule":
            return event.fingerprint
        return digest(found)

    def parts(self, event: Event) -> list[Part]:
        """Return what the fingerprint is made of, whatever the detector set."""
        holding = [rule for rule in self._rules if rule.holds(event)]
        for rule in holding:
            if rule.key:
                return [Part("rule", rule.name, rule.key)]
        masks = [pattern for rule in holding for pattern in rule.masks]
        return parts(event, partial(_template, masks)) if masks else parts(event)


def _template(masks: Sequence[Pattern], text: str) -> str:
    for pattern in masks:
        text = pattern.mask(text)
    return mask(text)


def _compile(number: int, rule: GroupingRule) -> _Rule:
    tests: list[Callable[[Event], bool]] = []
    for pattern, texts in ((rule.type, _types), (rule.message, _messages), (rule.path, _paths)):
        if pattern:
            tests.append(partial(_any, compile_pattern(pattern).search, texts))
    masks = [compile_pattern(pattern) for pattern in rule.mask]
    return _Rule(f"grouping[{number}]", rule.detector, tests, rule.key, masks)


def _any(search: Callable[[str], bool], texts: Callable[[Event], Sequence[str]], event: Event) -> bool:
    return any(search(text) for text in texts(event))


def _types(event: Event) -> Sequence[str]:
    return [event.type, *(raised.type for raised in event.exceptions)]


def _messages(event: Event) -> Sequence[str]:
    return [event.message]


def _paths(event: Event) -> Sequence[str]:
    return [frame.file for raised in event.exceptions for frame in raised.frames]
