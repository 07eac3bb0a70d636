"""A real HTTP server on loopback that speaks the Messages API as scripted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal

from aiops_core.records import Json
from aiops_core.testing.http_peer import HttpPeer, Reply, Request

_PIECES = 4


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One scripted call of a tool."""

    name: str
    input: Json
    id: str = "toolu_scripted"


def looks_up(*tools: ToolUse, thinking: str = "") -> Message:
    """Return a message that asks for tools."""
    return Message(stop_reason="tool_use", tools=tools, thinking=thinking)


@dataclass(frozen=True, slots=True)
class Message:
    """One scripted message, sent whole or as a stream, as the request asks.

    ``cut`` ends a stream half-way: ``quiet`` as if it were over, ``broken`` in the middle of a
    promised length. ``delay`` is in seconds; ``pings`` are sent first, ``pause`` seconds apart.
    """

    text: str = ""
    stop_reason: str | None = "end_turn"
    input_tokens: int = 1_000
    output_tokens: int = 200
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    thinking: str = ""
    tools: tuple[ToolUse, ...] = ()
    details: Mapping[str, Json] | None = None
    cut: Literal["", "quiet", "broken"] = ""
    delay: float = 0.0
    pings: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """One scripted error; inside a stream when ``in_stream``."""

    status: int
    type: str = "api_error"
    message: str = "scripted failure"
    headers: Mapping[str, str] = field(default_factory=dict)
    in_stream: bool = False


Scripted = Message | Failure | Reply


def answer(values: Mapping[str, Json] | str) -> Message:
    """Return a message that holds an answer as JSON, or this very text."""
    return Message(values if isinstance(values, str) else json.dumps(values))


OVERLOADED = Failure(529, "overloaded_error", "Overloaded")
SERVER_ERROR = Failure(500, "api_error", "Internal server error")
UNAUTHORIZED = Failure(401, "authentication_error", "invalid x-api-key")
REFUSED = Message(
    stop_reason="refusal", details={"type": "refusal", "category": "cyber", "explanation": "not allowed"}
)
GARBAGE = Reply(200, b"<html>a proxy's login page</html>", {"Content-Type": "text/html"})


def rate_limited(retry_after: float) -> Failure:
    """Return a 429 that asks for a pause of so many seconds."""
    return Failure(429, "rate_limit_error", "slow down", {"retry-after": f"{retry_after:g}"})


class MessagesApi(HttpPeer):
    """Answer ``POST /v1/messages`` with the scripted replies, then with ``usual``; know every model.

    With a ``key`` every request must carry it, as ``Authorization: Bearer`` or ``x-api-key``.
    ``calls`` holds the decoded bodies of what came.
    """

    def __init__(
        self, replies: Iterable[Scripted] = (), *, usual: Scripted = OVERLOADED, key: str = ""
    ) -> None:
        super().__init__()
        self._script: Iterator[Scripted] = iter(replies)
        self._otherwise = usual
        self._key = key

    def say(self, *replies: Scripted) -> None:
        """Answer with these too, after what was scripted before."""
        self._script = chain(self._script, replies)

    @property
    def calls(self) -> list[dict[str, Json]]:
        """Bodies of the requests, in the order they came."""
        return [json.loads(request.body) for request in self.requests if request.body]

    def _next_reply(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            if self._key and self._key not in _keys(request):
                return _failure(UNAUTHORIZED)
            if request.method == "GET":
                return _model(request.path.rpartition("/")[2])
            scripted = next(self._script, self._otherwise)
        body = json.loads(request.body)
        if isinstance(scripted, Reply):
            return scripted
        if isinstance(scripted, Failure):
            return _failure(scripted)
        return _streamed(scripted, body["model"]) if body.get("stream") else _whole(scripted, body["model"])


def _model(name: str) -> Reply:
    model = {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
    return Reply(200, json.dumps(model).encode(), {"Content-Type": "application/json"})


def _keys(request: Request) -> set[str]:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return {bearer, request.headers.get("x-api-key", "")}


def _failure(failure: Failure) -> Reply:
    error = {"type": "error", "error": {"type": failure.type, "message": failure.message}}
    if failure.in_stream:
        return _event_stream([_event("error", error)])
    return Reply(
        failure.status, json.dumps(error).encode(), {"Content-Type": "application/json", **failure.headers}
    )


def _usage(message: Message) -> dict[str, Json]:
    return {
        "input_tokens": message.input_tokens,
        "output_tokens": message.output_tokens,
        "cache_read_input_tokens": message.cache_read_tokens,
        "cache_creation_input_tokens": message.cache_write_tokens,
    }


def _envelope(message: Message, model: str, content: Json) -> dict[str, Json]:
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": message.stop_reason,
        "stop_sequence": None,
        "stop_details": message.details,
        "usage": _usage(message),
    }


def _whole(message: Message, model: str) -> Reply:
    content: list[Json] = []
    if message.thinking:
        content.append({"type": "thinking", "thinking": message.thinking, "signature": "s"})
    if message.text:
        content.append({"type": "text", "text": message.text})
    content += [_tool_block(tool) for tool in message.tools]
    body = json.dumps(_envelope(message, model, content)).encode()
    return Reply(200, body, {"Content-Type": "application/json"}, delay=message.delay)


def _tool_block(tool: ToolUse) -> dict[str, Json]:
    return {"type": "tool_use", "id": tool.id, "name": tool.name, "input": tool.input}


def _streamed(message: Message, model: str) -> Reply:
    events = list(_events(message, model))
    if not message.cut:
        return replace(_event_stream(events), delay=message.delay)
    half = events[: len(events) // 2]
    reply = _event_stream(half)
    if message.cut == "quiet":
        return reply
    return replace(reply, headers={**reply.headers, "Content-Length": str(len(reply.body) + 999)})


def _event_stream(events: Iterable[bytes]) -> Reply:
    return Reply(200, b"".join(events), {"Content-Type": "text/event-stream"})


def _event(name: str, data: Mapping[str, Json]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _events(message: Message, model: str) -> Iterator[bytes]:
    start = _envelope(replace(message, stop_reason=None, output_tokens=1, details=None), model, [])
    yield _event("message_start", {"type": "message_start", "message": start})
    for _ in range(message.pings):
        yield _event("ping", {"type": "ping"})
    blocks = [("thinking", message.thinking)] if message.thinking else []
    if message.text or not message.tools:
        blocks.append(("text", message.text))
    for index, (kind, text) in enumerate(blocks):
        yield from _block(index, kind, text)
    for index, tool in enumerate(message.tools, len(blocks)):
        yield from _pieces(
            index,
            {**_tool_block(tool), "input": {}},
            "input_json_delta",
            "partial_json",
            json.dumps(tool.input),
        )
    delta = {"stop_reason": message.stop_reason, "stop_sequence": None, "stop_details": message.details}
    yield _event("message_delta", {"type": "message_delta", "delta": delta, "usage": _usage(message)})
    yield _event("message_stop", {"type": "message_stop"})


def _block(index: int, kind: str, text: str) -> Iterator[bytes]:
    block = {"type": kind, kind: "", **({"signature": ""} if kind == "thinking" else {})}
    yield from _pieces(index, block, f"{kind}_delta", kind, text)


def _pieces(index: int, block: Json, kind: str, key: str, text: str) -> Iterator[bytes]:
    yield _event(
        "content_block_start", {"type": "content_block_start", "index": index, "content_block": block}
    )
    size = max(1, -(-len(text) // _PIECES))
    for at in range(0, len(text), size):
        delta = {"type": kind, key: text[at : at + size]}
        yield _event("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta})
    yield _event("content_block_stop", {"type": "content_block_stop", "index": index})
