"""A real HTTP server on loopback that speaks the chat completions API as scripted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from aiops_core.records import Json
from aiops_core.testing.http_peer import HttpPeer, Reply, Request
from aiops_core.testing.messages_api import OVERLOADED, UNAUTHORIZED, Failure, Message, Scripted

_PIECES = 4
_STOPS = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls", "refusal": "content_filter"}


class ChatApi(HttpPeer):
    """Answer ``POST /v1/chat/completions`` with the scripted replies, then with ``usual``.

    The script is the one of MessagesApi. With a ``key`` every request must carry it. ``shapes`` are
    the ways of asking for JSON that the server knows; others it refuses. ``models`` are those it lists.
    ``calls`` holds the decoded bodies of what came.
    """

    def __init__(
        self,
        replies: Iterable[Scripted] = (),
        *,
        usual: Scripted = OVERLOADED,
        key: str = "",
        shapes: Iterable[str] = ("json_schema", "json_object"),
        models: Iterable[str] = (),
    ) -> None:
        super().__init__()
        self._script = iter(replies)
        self._otherwise = usual
        self._key = key
        self._shapes = frozenset(shapes)
        self.models = list(models)

    @property
    def calls(self) -> list[dict[str, Json]]:
        """Bodies of the requests, in the order they came."""
        return [json.loads(request.body) for request in self.requests]

    def _next_reply(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            if self._key and request.headers.get("authorization") != f"Bearer {self._key}":
                return _failure(UNAUTHORIZED)
            if request.path.endswith("/models"):
                listed = {"object": "list", "data": [{"id": name} for name in self.models]}
                return Reply(200, json.dumps(listed).encode(), {"Content-Type": "application/json"})
            body = json.loads(request.body)
            shape = body.get("response_format", {}).get("type")
            if shape and shape not in self._shapes:
                return _failure(Failure(400, message=f"response_format {shape} is not supported"))
            scripted = next(self._script, self._otherwise)
        if isinstance(scripted, Reply):
            return scripted
        if isinstance(scripted, Failure):
            return _failure(scripted)
        return _streamed(scripted, body["model"]) if body.get("stream") else _whole(scripted, body["model"])


def _failure(failure: Failure) -> Reply:
    error = {"error": {"message": failure.message, "type": failure.type, "code": failure.status}}
    if failure.in_stream:
        return _event_stream([f"data: {json.dumps(error)}\n\n".encode()])
    headers = {"Content-Type": "application/json", **failure.headers}
    return Reply(failure.status, json.dumps(error).encode(), headers)


def _usage(message: Message) -> dict[str, Json]:
    read = message.input_tokens + message.cache_read_tokens
    details = {"cached_tokens": message.cache_read_tokens}
    return {
        "prompt_tokens": read,
        "completion_tokens": message.output_tokens,
        "prompt_tokens_details": details,
    }


def _tool_calls(message: Message) -> list[Json]:
    return [
        {
            "index": index,
            "id": tool.id,
            "type": "function",
            "function": {"name": tool.name, "arguments": json.dumps(tool.input)},
        }
        for index, tool in enumerate(message.tools)
    ]


def _text(message: Message) -> str:
    return f"<think>{message.thinking}</think>{message.text}" if message.thinking else message.text


def _refusal(message: Message) -> str | None:
    return str(message.details.get("explanation")) if message.details else None


def _stop(message: Message) -> str | None:
    return _STOPS.get(message.stop_reason or "", message.stop_reason)


def _whole(message: Message, model: str) -> Reply:
    said = {"role": "assistant", "content": _text(message), "refusal": _refusal(message)}
    if message.tools:
        said["tool_calls"] = _tool_calls(message)  # type: ignore[assignment]  # JSON
    choice = {"index": 0, "message": said, "finish_reason": _stop(message)}
    body = {"object": "chat.completion", "model": model, "choices": [choice], "usage": _usage(message)}
    return Reply(200, json.dumps(body).encode(), {"Content-Type": "application/json"}, delay=message.delay)


def _streamed(message: Message, model: str) -> Reply:
    events = list(_events(message, model))
    if not message.cut:
        return replace(_event_stream(events), delay=message.delay)
    reply = _event_stream(events[: len(events) // 2])
    if message.cut == "quiet":
        return reply
    return replace(reply, headers={**reply.headers, "Content-Length": str(len(reply.body) + 999)})


def _event_stream(events: Iterable[bytes]) -> Reply:
    return Reply(200, b"".join(events), {"Content-Type": "text/event-stream"})


def _events(message: Message, model: str) -> Iterator[bytes]:
    text = _text(message)
    size = max(1, -(-len(text) // _PIECES))
    deltas: list[dict[str, Json]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text[at : at + size]} for at in range(0, len(text), size)]
    deltas += [{"tool_calls": [one]} for one in _tool_calls(message)]
    if (refusal := _refusal(message)) is not None:
        deltas.append({"refusal": refusal})
    for delta in deltas:
        yield _event(model, [{"index": 0, "delta": delta, "finish_reason": None}])
    yield _event(model, [{"index": 0, "delta": {}, "finish_reason": _stop(message)}])
    yield _event(model, [], _usage(message))
    yield b"data: [DONE]\n\n"


def _event(model: str, choices: list[Json], usage: Json = None) -> bytes:
    event = {"object": "chat.completion.chunk", "model": model, "choices": choices, "usage": usage}
    return f"data: {json.dumps(event)}\n\n".encode()
