"""What a chat completions API answers, whole or piece by piece."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from aiops_core import Said, ToolCall, Usage

Data: TypeAlias = Mapping[str, Any]  # Any: JSON of the API, unchecked

_STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "refusal",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
}
_THOUGHT = re.compile(r"\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
"""Models of one's own say what they think before what they answer."""


class NoCompletion(Exception):
    """Say that what came back is no answer of the API."""


def completed(body: bytes) -> Said:
    """Return what an answer says that came as a whole."""
    data = _mapping(_loaded(body))
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices:
        raise NoCompletion("what came back is no answer of a chat completions API")
    choice = _mapping(choices[0])
    message = _mapping(choice.get("message"))
    calls = message.get("tool_calls")
    return _as_said(data, choice.get("finish_reason"), message, calls if isinstance(calls, list) else [])


def collected(pieces: Iterable[bytes]) -> Said:
    """Return what a stream of events says; one without an end has no stop reason."""
    last: Data = {}
    usage: Any = None  # Any: as in Data
    reason: Any = None  # Any: as in Data
    texts: dict[str, list[str]] = {"content": [], "refusal": []}
    calls: dict[int, dict[str, Any]] = {}  # Any: as in Data
    for event in _events(pieces):
        if "error" in event:
            raise NoCompletion(f"the server failed in mid-answer: {str(event['error'])[:300]}")
        last, usage = event, event.get("usage") or usage
        for choice in (_mapping(one) for one in _list(event.get("choices"))[:1]):
            delta = _mapping(choice.get("delta"))
            for name, parts in texts.items():
                parts.append(_text(delta.get(name)))
            _add_calls(calls, _list(delta.get("tool_calls")))
            reason = choice.get("finish_reason") or reason
    if not last:
        raise NoCompletion("what came back is no answer of a chat completions API")
    message = {name: "".join(parts) for name, parts in texts.items()}
    return _as_said({**last, "usage": usage}, reason, message, [calls[index] for index in sorted(calls)])


def _add_calls(calls: dict[int, dict[str, Any]], deltas: Iterable[Any]) -> None:  # Any: as in Data
    for delta in map(_mapping, deltas):
        index = delta.get("index")
        one = calls.setdefault(
            index if isinstance(index, int) else 0, {"id": "", "name": "", "arguments": ""}
        )
        function = _mapping(delta.get("function"))
        one["id"] = _text(delta.get("id")) or one["id"]
        one["name"] += _text(function.get("name"))
        one["arguments"] += _text(function.get("arguments"))


def _events(pieces: Iterable[bytes]) -> Iterator[Data]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:") and line[5:].strip() != b"[DONE]":
                yield _mapping(_loaded(line[5:]))


def _as_said(data: Data, reason: Any, message: Data, calls: Iterable[Any]) -> Said:  # Any: as in Data
    refusal = _text(message.get("refusal"))
    text = _THOUGHT.sub("", _text(message.get("content")), count=1)
    wanted = tuple(_tool_call(number, _mapping(one)) for number, one in enumerate(calls))
    stop = None if reason is None else "refusal" if refusal else _STOPS.get(str(reason), str(reason))
    if wanted and stop == "end_turn":  # some servers say so although a tool is wanted
        stop = "tool_use"
    return Said(text, stop, refusal, _usage(data), wanted, (_as_it_came(text, wanted),))


def _tool_call(number: int, call: Data) -> ToolCall:
    function = _mapping(call.get("function", call))
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            arguments = {}
    return ToolCall(
        _text(call.get("id")) or f"call_{number}", _text(function.get("name")), _mapping(arguments)
    )


def _as_it_came(text: str, calls: Iterable[ToolCall]) -> Data:
    wanted = [
        {
            "id": one.id,
            "type": "function",
            "function": {"name": one.name, "arguments": json.dumps(one.arguments)},
        }
        for one in calls
    ]
    return {"role": "assistant", "content": text, **({"tool_calls": wanted} if wanted else {})}


def _usage(data: Data) -> Usage:
    usage = _mapping(data.get("usage"))
    read, cached = _count(usage.get("prompt_tokens")), 0
    details = _mapping(usage.get("prompt_tokens_details"))
    cached = min(_count(details.get("cached_tokens")), read)
    return Usage(_text(data.get("model")), read - cached, _count(usage.get("completion_tokens")), cached)


def _loaded(body: bytes) -> Any:  # Any: JSON
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NoCompletion("what came back is no answer of a chat completions API") from None


def _mapping(value: Any) -> Data:  # Any: as in Data
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:  # Any: as in Data
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:  # Any: as in Data
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:  # Any: as in Data
    return value if isinstance(value, int) and 0 <= value < 1 << 40 else 0
