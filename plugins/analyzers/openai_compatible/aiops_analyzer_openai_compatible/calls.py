"""One call of a chat completions API: what is sent, and what a failure means."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2

from aiops_analyzer_openai_compatible.answers import NoCompletion, collected, completed
from aiops_analyzer_openai_compatible.config import Shape
from aiops_core import (
    AnalysisAnswer,
    CallFailed,
    Question,
    Redactor,
    Said,
    Target,
    cannot_pay,
    parse_retry_after,
    unpaid,
)

_PASSING = frozenset({408, 409, 425, 429})
_WHOLE_CALL = 10
_LONGEST_BODY = 8 << 20
_ERROR = 4_096
_SHOWN = 10
_SHAPE = re.compile(
    r"response_format|json_schema|json_object|json mode|guided|structured|grammar", re.IGNORECASE
)
_TOO_LONG = re.compile(
    r"too long|context (?:length|window)|maximum context|exceeds? the (?:context|maximum)", re.IGNORECASE
)
_UNREACHED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)


class ShapeUnknown(Exception):
    """Say that a server does not know the way in which it was asked for JSON."""

    def __init__(self, failure: CallFailed) -> None:
        self.failure = failure
        super().__init__(str(failure))


def connect(target: Target, timeout: float) -> httpx2.Client:
    """Return a client for one place to ask; it follows no redirect, since the key is for one address."""
    limits = httpx2.Timeout(timeout, connect=min(timeout, 10.0))
    is_plain = target.base_url.startswith("http://") and not target.proxy.startswith("https://")
    # Without TLS the certificates need not be read.
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else ssl.create_default_context()
    headers = {"Authorization": f"Bearer {target.api_key}"} if target.api_key else {}
    return httpx2.Client(
        headers=headers, timeout=limits, proxy=target.proxy or None, verify=verify, follow_redirects=False
    )


def look_up(target: Target, timeout: float) -> bool:
    """See that the model is there for this key, at no cost; raise CallFailed where it is not.

    Return False where the server does not list its models.
    """
    redactor = Redactor([target.api_key])
    address = f"{target.base_url.rstrip('/')}/models"
    with (
        connect(target, timeout) as client,
        _explained(target, timeout),
        client.stream("GET", address) as response,
    ):
        if response.status_code in (404, 405, 501):
            return False
        if response.status_code != 200:
            raise _failed(response, target, redactor, "text")
        names = _listed(b"".join(_in_time(response, timeout)))
    if names and not any(target.model in (name, name.partition(":")[0]) for name in names):
        some = ", ".join(sorted(names)[:_SHOWN])
        text = f"{target.model_setting}: {target.model} is not among the models there ({some}). Correct it."
        raise CallFailed(text, "request", is_free=True)
    return bool(names)


def _listed(body: bytes) -> list[str]:
    try:
        models = json.loads(body)["data"]
        return [str(model["id"]) for model in models]
    except (ValueError, RecursionError, LookupError, TypeError):
        return []


def call(client: httpx2.Client, target: Target, question: Question, shape: Shape) -> Said:
    """Ask once; raise CallFailed with a message that holds no key."""
    redactor = Redactor([target.api_key])
    address = f"{target.base_url.rstrip('/')}/chat/completions"
    with (
        _explained(target, question.timeout),
        client.stream("POST", address, json=_body(target, question, shape)) as response,
    ):
        if response.status_code != 200:
            raise _failed(response, target, redactor, shape)
        return _said(response, question)


@contextmanager
def _explained(target: Target, timeout: float) -> Iterator[None]:
    """Turn what goes wrong in a call into CallFailed."""
    try:
        yield
    except NoCompletion as problem:
        raise CallFailed(str(problem), "again") from None
    except httpx2.TimeoutException as error:
        is_free = isinstance(error, _UNREACHED)
        raise CallFailed(f"no answer within {timeout:g} s", "again", is_free=is_free) from None
    except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL) as error:
        said = Redactor([target.api_key]).redact(str(error))[:300]
        is_free = isinstance(error, (*_UNREACHED, httpx2.InvalidURL))
        raise CallFailed(f"the connection failed: {said}", "again", is_free=is_free) from None


def _body(target: Target, question: Question, shape: Shape) -> dict[str, Any]:  # Any: JSON of the API
    body: dict[str, Any] = {
        "model": target.model,
        "max_tokens": question.max_tokens,
        "messages": [{"role": "system", "content": question.system}, *question.messages],
        "stream": question.stream,
    }
    if question.stream:
        body["stream_options"] = {"include_usage": True}
    if shape == "json_schema":
        schema = {"name": "analysis", "schema": AnalysisAnswer.model_json_schema()}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif shape == "json_object":
        body["response_format"] = {"type": "json_object"}
    if question.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in question.tools
        ]
        body["tool_choice"] = "auto" if question.may_call else "none"
    return body


def _said(response: httpx2.Response, question: Question) -> Said:
    """Read an answer to its end, but not for ever: a stalled model may still send signs of life."""
    kind = response.headers.get("content-type", "")
    pieces = _in_time(response, _WHOLE_CALL * question.timeout)
    if kind.startswith("text/event-stream"):
        return collected(pieces)
    return completed(b"".join(pieces))


def _in_time(response: httpx2.Response, limit: float) -> Iterator[bytes]:
    end, size = time.monotonic() + limit, 0
    for piece in response.iter_bytes():
        size += len(piece)
        if time.monotonic() > end:
            raise CallFailed(f"the answer did not end within {limit:g} s", "again")
        if size > _LONGEST_BODY:
            raise CallFailed("the answer does not end", "again")
        yield piece


def _failed(response: httpx2.Response, target: Target, redactor: Redactor, shape: Shape) -> Exception:
    status = response.status_code
    body = b"".join(_in_time(response, 10.0))
    words = redactor.redact(_error_text(body))[:300]
    said = f"HTTP {status}{f': {words}' if words else ''}".rstrip(".")
    if cannot_pay(status, f"{words} {body[:_ERROR].decode('utf-8', 'replace')}"):
        return unpaid(target, said)
    if status in (401, 403, 404):
        return _mistake(status, said, target)
    if status == 413 or (status < 500 and _TOO_LONG.search(words)):
        return CallFailed(said, "too-long", is_free=True)
    failure = CallFailed(f"the request was refused, {said}.", "request", is_free=True)
    if status in (400, 422, 501) and shape != "text" and _SHAPE.search(words):
        return ShapeUnknown(failure)
    if status in _PASSING or status >= 500:
        return CallFailed(said, "again", _pause(response), is_free=True)
    return failure


def _mistake(status: int, said: str, target: Target) -> CallFailed:
    if status == 404:
        remedy = f"Correct '{target.model_setting}' ({target.model}) or the address."
        return CallFailed(f"{target.model_setting}: not found, {said}. {remedy}", "request", is_free=True)
    return CallFailed(f"{target.key_setting}: the key was refused, {said}. Correct it.", "key", is_free=True)


def _pause(response: httpx2.Response) -> float | None:
    """Return the seconds the server asks for, None where it asks for none."""
    header = response.headers.get("retry-after", "")
    return parse_retry_after(header, datetime.now(UTC)) if header else None


def _error_text(body: bytes) -> str:
    """Return what an error answer says: servers differ in where they say it."""
    text = body.decode("utf-8", "replace").strip()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return " ".join(text.split())
    error = data.get("error", data) if isinstance(data, Mapping) else data
    if isinstance(error, Mapping):
        error = error.get("message") or error.get("detail") or ""
    return " ".join(str(error).split())
