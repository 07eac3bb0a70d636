"""Write the entries of an answer as lines: a pure function of the entry and its stream."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from aiops_core import Found, carry

Labels = Mapping[str, str]
_HOST = ("host", "hostname", "node_name", "node", "nodename", "instance")
_SERVICE = ("service_name", "service", "app", "app_kubernetes_io_name", "container", "job")
_PID = ("pid",)
_LEVELS = ("level", "detected_level", "severity", "severity_text")
_OF_LINES = {*_LEVELS, "trace_id", "traceid", "traceID", "span_id", "spanid", "spanID", "request_id"}
_NO_ATTRIBUTES = {"stream", "host", "service", "pid", "message_id", *_LEVELS}
_MOST_ATTRIBUTES = 20


class AnswerError(ValueError):
    """Say that an answer is not one of a log query."""


def read_answer(answer: Any, stream_labels: Collection[str] = ()) -> list[Found]:  # Any: JSON as it came
    """Return the entries of an answer to ``query_range``, ascending by time.

    Entries of one time stay in the order of their stream. ``stream_labels`` tell streams apart; all
    but those of single lines do when there are none.
    """
    try:
        data = answer["data"]
        if data["resultType"] != "streams":
            raise AnswerError(f"the query gives a {data['resultType']}, not lines of logs")
        found = [
            one
            for stream in data["result"]
            for one in _entries(stream["stream"], stream["values"], stream_labels)
        ]
    except (KeyError, TypeError, IndexError) as error:
        raise AnswerError("the answer is none of Loki") from error
    return sorted(found, key=lambda one: one.time)


def _entries(
    labels: Labels,
    values: Iterable[list[Any]],  # Any: JSON as it came
    stream_labels: Collection[str],
) -> Iterator[Found]:
    telling = {name for name in labels if name in stream_labels or not (stream_labels or name in _OF_LINES)}
    stream = _digest({name: labels[name] for name in telling}, 6)
    named = [(name, text) for name, text in labels.items() if name not in _NO_ATTRIBUTES]
    attributes = {"stream": stream, **dict(named[:_MOST_ATTRIBUTES])}
    for value in values:
        time, text = int(value[0]), value[1]
        known = {**labels, **_beside(value)}
        data = carry(
            text,
            time=time,
            level=_first(known, _LEVELS),
            host=_first(known, _HOST),
            service=_first(known, _SERVICE),
            pid=_first(known, _PID),
            attributes=attributes,
        )
        yield Found(time, _digest([known, text], 16), data)


def _beside(value: list[Any]) -> Labels:  # Any: JSON as it came
    """Return what Loki tells of a single line, beside the labels of its stream."""
    told = value[2] if len(value) > 2 and isinstance(value[2], dict) else {}
    parts = [told.get("structuredMetadata"), told.get("parsed")]
    return {str(name): str(text) for part in parts if isinstance(part, dict) for name, text in part.items()}


def _first(labels: Labels, names: Iterable[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _digest(value: object, size: int) -> str:
    return blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=size).hexdigest()
