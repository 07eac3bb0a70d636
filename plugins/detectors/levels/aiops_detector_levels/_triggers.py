"""What a line with a high level contains, whatever its format; the envelope decides afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

Minimum = Literal["critical", "error", "warning"]

_LEVELS: tuple[Minimum, ...] = ("critical", "error", "warning")
_WORDS: dict[Minimum, Sequence[str]] = {
    "critical": ("fatal", "critical", "panic", "dpanic", "emergency", "alert", "emerg", "crit"),
    "error": ("error", "severe", "err"),
    "warning": ("warning", "warn"),
}
_CAPITALS: dict[Minimum, Sequence[str]] = {"critical": ("FTL", "CRT"), "error": (), "warning": ("WRN",)}
_FOUR: dict[Minimum, Sequence[str]] = {"critical": ("FATA", "PANI"), "error": ("ERRO",), "warning": ()}
"""Levels as logrus and its kin cut them on a terminal; WARN is a word of its own."""
_LETTER: dict[Minimum, str] = {"critical": "F", "error": "E", "warning": "W"}
_NUMBERS: dict[Minimum, tuple[str, str]] = {
    "critical": ("60", "012"),
    "error": ("50", "3"),
    "warning": ("40", "4"),
}
_DOTNET: dict[Minimum, str] = {"critical": "crit", "error": "fail", "warning": "warn"}
_TRANSLATED: dict[Minimum, str] = {
    "error": "严重|嚴重|错误|錯誤|重大|심각|오류|GRAVE|SCHWERWIEGEND|FEHLER|ERREUR",
    "warning": "警告|경고|WARNUNG|AVERTISSEMENT|ADVERTENCIA|AVVERTENZA",
}
"""What Java's logging and PostgreSQL write where the language of the machine is not English."""
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_SOURCES = ("go", "cc", "cpp", "c", "h", "py", "rs")


def triggers_from(minimum: Minimum) -> tuple[str, ...]:
    """Return the triggers for every level from ``minimum`` up."""
    triggers = [trigger for level in _LEVELS[: _LEVELS.index(minimum) + 1] for trigger in _triggers(level)]
    translated: Sequence[Minimum] = (
        tuple(_TRANSLATED) if minimum == "warning" else ("error",)
    )  # what is fatal is an error by name
    triggers += [rf"(?:{_TRANSLATED[level]})(?:: | \[|\]|】)" for level in translated]
    return tuple(dict.fromkeys(triggers))


def _triggers(level: Minimum) -> Iterator[str]:
    for word in _WORDS[level]:
        yield from _of_word(word)
    for word in _CAPITALS[level]:
        yield rf"{word}\b"
    for word in _FOUR[level]:
        yield rf"{word}(?:\[\d{{4}}\]| )"
    letter = _LETTER[level]
    for suffix in _SOURCES:
        yield rf"{letter}(?:\d{{4}})?\d{{4}} \d\d:\d\d:\d\d\.\d+ +\d+ [\w./-]+\.{suffix}:\d+\]"
    yield rf"\d {letter} \w"
    yield rf"(?:Z {letter}!|\[{letter}\]) "
    yield rf"\[{'C' if level == 'critical' else letter} \d"  # Tornado's and Jupyter's
    yield rf"{letter}/[\w.$-]+ *\( *\d+\): "
    yield rf"\"s\":\s?\"{letter}"
    yield rf"{_DOTNET[level]}: [\w.+`]+\[\d+\]"
    number, priorities = _NUMBERS[level]
    yield rf"\"level\":\s?{number}\b"
    # Not after a word: `Switch<0>(0x0)` is no syslog priority.
    for priority in priorities:
        yield rf"\B<{priority}>"
    of_facilities = "|".join(str(8 * facility + int(one)) for facility in range(1, 24) for one in priorities)
    yield rf"\B<(?:{of_facilities})>1 "
    yield rf"\B<(?:{of_facilities})>(?:{_MONTHS}) "
    yield rf"\B<(?:{of_facilities})>[\w./-]+\[\d+\]: "
    for one in priorities:
        yield rf"%[A-Z][A-Z0-9_]*(?:-[\w-]+)?-{one}-[A-Z0-9_]+: "  # a router's
    if level == "error":
        yield r"PHP (?:Fatal|Parse) error: "
        yield r"lvl=eror\b"


def _of_word(word: str) -> Iterator[str]:
    """Return a word as a level stands: alone in capitals, or in small letters with a separator.

    No word boundary goes before it: a colour code ends in a letter.
    """
    title = word.capitalize()
    yield rf"{word.upper()}\b"
    yield rf"\[(?:{word}|{title}) *\]"
    yield rf":{word}\]"
    yield rf"\"{word}\"\s?[,}}]"
    yield rf"\"{title}\"\s?[,}}]"
    for key in ("level", "lvl", "severity"):
        yield rf"{key}=[\"']?{word}\b"
    if len(word) > 3:
        yield rf"{word}(?::\s|\t|  | [|-] | [\w.-]+ : )"
        yield rf"{title}(?:\t|  | [|-] )"
        yield rf"(?:: {title}: |<{title}>)"
