"""Say in plain words what a model found wrong with a value, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

_MANY = 20
"""Above how many names nobody reads them all."""
_WRONG = {
    **dict.fromkeys(
        ("model_type", "model_attributes_type", "dataclass_type", "dict_type", "mapping_type"),
        "is no mapping. Write 'key: value' lines below it",
    ),
    **dict.fromkeys(
        ("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"),
        "is no list. Write the items between [ and ], or each on a line that begins with '- '",
    ),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "is no whole number. Write one"
    ),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "is no number. Write one"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "is neither true nor false. Write one of them"),
    **dict.fromkeys(("string_type", "bytes_type"), "is no text. Put it in quotes"),
    **dict.fromkeys(
        ("time_delta_type", "time_delta_parsing"),
        "is no duration. Write a number and ms, s, m, h or d, as in 90s or 24h",
    ),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "is no date. Write one, as in 2026-01-31",
    ),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing"),
        "is no time. Write one, as in 2026-01-31T10:00:00Z",
    ),
    **dict.fromkeys(("url_type", "url_parsing"), "is no address. Write one, as in https://example.org/"),
    "none_required": "has to stay empty. Remove the value",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "is less than {limit}. Write {limit} or more"),
    "greater_than": ("gt", "is not more than {limit}. Write a higher one"),
    "less_than_equal": ("le", "is more than {limit}. Write {limit} or less"),
    "less_than": ("lt", "is not less than {limit}. Write a lower one"),
    "multiple_of": ("multiple_of", "is no multiple of {limit}. Write one"),
    "string_pattern_mismatch": ("pattern", "does not match {limit}. Write what does"),
    "url_scheme": ("expected_schemes", "does not begin with {limit}. Write an address that does"),
}


def mistake(found: Mapping[str, Any]) -> str:  # Any: one of pydantic's errors
    """Return what is wrong and what to do, without the place."""
    kind, context = str(found["type"]), found.get("ctx", {})
    if kind in _WRONG:
        return _WRONG[kind]
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        return text.format(limit=_limit(context[name]))
    if kind in {"literal_error", "enum"}:
        expected = str(context["expected"])
        several = "," in expected or " or " in expected
        return f"is none of {expected}. Write one of them" if several else f"is not {expected}. Write that"
    if kind in {"too_short", "string_too_short"}:
        return _too_short(context["min_length"], "character" if kind.startswith("string") else "item")
    if kind in {"too_long", "string_too_long"}:
        return f"is longer than {context['max_length']}. Shorten it"
    text = str(found["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return text[:1].lower() + text[1:]


def _limit(limit: object) -> object:
    """Return a bound for people; the model writes one of no time at all as it stands in its source."""
    if isinstance(limit, float):
        return f"{limit:g}"
    return "0s" if limit == repr(timedelta()) else limit


def _too_short(least: int, noun: str) -> str:
    if least == 1:
        return "is empty. Write at least one" if noun == "item" else "is empty. Write something"
    return f"has fewer than {least} {noun}s. Write more"


def near(name: str, known: Iterator[str] | list[str]) -> str:
    """Return ``Did you mean 'x'?`` for a near name, or one that holds it; else what is known.

    Of many that are known those are told that are least unlike it.
    """
    names = sorted(known)
    longer = [one for one in names if name in one] if len(name) > 2 else []
    close = get_close_matches(name, names, n=1, cutoff=0.6) or sorted(
        longer, key=lambda one: (not one.startswith(name), len(one))
    )
    if close:
        return f"Did you mean '{close[0]}'?"
    if len(names) > _MANY:
        return f"The nearest of {len(names)}: {', '.join(get_close_matches(name, names, n=3, cutoff=0.0))}"
    return f"Known: {', '.join(names)}" if names else "There are none"
