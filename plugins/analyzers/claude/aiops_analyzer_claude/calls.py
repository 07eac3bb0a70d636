"""One call of the Messages API: what was asked, what came back, what a failure means."""

from __future__ import annotations

import email.utils
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiops_analyzer_claude.prices import priced
from aiops_core import (
    AnalysisAnswer,
    CallFailed,
    Question,
    Redactor,
    Said,
    Target,
    ToolCall,
    Usage,
    cannot_pay,
    unpaid,
)

if TYPE_CHECKING:
    import anthropic
    import httpx2

OFFICIAL = "https://api.anthropic.com"
_PASSING = frozenset({408, 409, 425, 429})
_PASSING_TYPES = frozenset({"overloaded_error", "rate_limit_error", "api_error", "timeout_error"})
_WHOLE_CALL = 10


def connect(target: Target, timeout: float) -> anthropic.Anthropic:
    """Return a client for one place to ask; it tries nothing twice by itself."""
    import anthropic
    import httpx2

    limits = httpx2.Timeout(timeout, connect=min(timeout, 10.0))
    base_url = target.base_url or OFFICIAL
    is_plain = base_url.startswith("http://") and not target.proxy.startswith("https://")
    # Without TLS the certificates need not be read; a redirect to TLS would fail, not be trusted.
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else True
    return anthropic.Anthropic(
        api_key=target.api_key,
        base_url=base_url,
        timeout=limits,
        max_retries=0,
        http_client=anthropic.DefaultHttpxClient(proxy=target.proxy or None, timeout=limits, verify=verify),
    )


def look_up(target: Target, timeout: float) -> bool:
    """See that the model is there for this key, at no cost; raise CallFailed where it is not.

    A gateway need not know how to be asked that: that it answers is enough.
    """
    try:
        with connect(target, timeout) as client, _explained(target, timeout):
            client.models.retrieve(target.model)
    except CallFailed as failure:
        if failure.kind != "request" or not target.base_url:
            raise
    return True


def call(client: anthropic.Anthropic, target: Target, question: Question) -> Said:
    """Ask once; raise CallFailed with a message that holds no key."""
    ask = _streamed if question.stream else _whole
    with _explained(target, question.timeout):
        return _said(ask(client, target, question), target.model)


@contextmanager
def _explained(target: Target, timeout: float) -> Iterator[None]:
    """Turn what goes wrong in a call into CallFailed."""
    import anthropic
    import httpx2

    redactor = Redactor([target.api_key])
    try:
        yield
    except anthropic.APIStatusError as error:
        raise _failed(error, target, redactor) from None
    except anthropic.APITimeoutError as error:
        is_free = isinstance(error.__cause__, _unreached())
        raise CallFailed(f"no answer within {timeout:g} s", "again", is_free=is_free) from None
    except (anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError) as error:
        said = redactor.redact(f"{error} {error.__cause__ or ''}".strip())[:300]
        is_free = isinstance(error.__cause__, _unreached())
        raise CallFailed(f"the connection failed: {said}", "again", is_free=is_free) from None
    except (AttributeError, AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
        raise CallFailed("what came back is no message of the Claude API", "again") from None


def _unreached() -> tuple[type[Exception], ...]:
    """Return the errors of a connection over which nothing was sent."""
    import httpx2

    return httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol


def _arguments(target: Target, question: Question) -> dict[str, Any]:  # Any: the SDK's typed dicts
    import anthropic

    output: dict[str, Any] = {}
    if question.is_enforced:
        schema = anthropic.transform_schema(AnalysisAnswer)
        output["format"] = {"type": "json_schema", "schema": schema}
    if question.effort:
        output["effort"] = question.effort
    return {
        "model": target.model,
        "max_tokens": question.max_tokens,
        "system": [{"type": "text", "text": question.system, "cache_control": {"type": "ephemeral"}}],
        "messages": list(question.messages),
        **_growing(target, question),
        **({"output_config": output} if output else {}),
        **_tools(question),
    }


def _growing(target: Target, question: Question) -> dict[str, Any]:  # Any: the SDK's typed dicts
    """Have a conversation cached that look-ups make longer; gateways need not know this."""
    return {"cache_control": {"type": "ephemeral"}} if question.tools and not target.base_url else {}


def _tools(question: Question) -> dict[str, Any]:  # Any: the SDK's typed dicts
    if not question.tools:
        return {}
    tools = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
        for tool in question.tools
    ]
    return {"tools": tools, "tool_choice": {"type": "auto" if question.may_call else "none"}}


def _whole(client: anthropic.Anthropic, target: Target, question: Question) -> Any:  # Any: perhaps no message
    return client.messages.create(**_arguments(target, question), timeout=question.timeout)


def _streamed(client: anthropic.Anthropic, target: Target, question: Question) -> Any:  # Any: as above
    """Read a stream to its end, but not for ever: a stalled model still sends pings."""
    import httpx2

    from aiops_analyzer_claude.in_time import InTime

    with client.messages.stream(**_arguments(target, question)) as stream:
        response = stream.response
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = InTime(response.stream, _WHOLE_CALL * question.timeout)
        return stream.get_final_message()


def _said(message: Any, model: str) -> Said:  # Any: what the SDK built, unchecked
    usage = message.usage
    text = "".join(block.text for block in message.content if block.type == "text")
    details = getattr(message, "stop_details", None)
    detail = " ".join(
        str(getattr(details, name)) for name in ("category", "explanation") if getattr(details, name, None)
    )
    used = Usage(
        model=str(message.model or model),
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        cache_read_tokens=usage.cache_read_input_tokens or 0,
        cache_write_tokens=usage.cache_creation_input_tokens or 0,
    )
    calls = tuple(
        ToolCall(block.id, block.name, dict(block.input))
        for block in message.content
        if block.type == "tool_use"
    )
    content = tuple(block.model_dump(mode="json", exclude_unset=True) for block in message.content)
    return Said(text, message.stop_reason, detail, priced(used), calls, content)


def _failed(error: anthropic.APIStatusError, target: Target, redactor: Redactor) -> CallFailed:
    status, kind = error.status_code, error.type or ""
    words = redactor.redact(str(error.api_message or "").strip())[:300]
    said = f"HTTP {status}{f' {kind}' if kind else ''}{f': {words}' if words else ''}".rstrip(".")
    request = f" (request {error.request_id})" if error.request_id else ""
    if cannot_pay(status, f"{kind} {words}"):
        return unpaid(target, f"{said}{request}")
    if status in (401, 403):
        return CallFailed(
            f"{target.key_setting}: the key was refused, {said}{request}. Correct it.", "key", is_free=True
        )
    if status == 404:
        remedy = f"Correct '{target.model_setting}' ({target.model}) or the address."
        return CallFailed(
            f"{target.model_setting}: not found, {said}{request}. {remedy}", "request", is_free=True
        )
    if status in _PASSING or status >= 500 or kind in _PASSING_TYPES:
        return CallFailed(f"{said}{request}", "again", _retry_after(error.response), is_free=True)
    if status == 413 or "too long" in words.lower():
        return CallFailed(f"{said}{request}", "too-long", is_free=True)
    return CallFailed(f"the request was refused, {said}{request}.", "request", is_free=True)


def _retry_after(response: httpx2.Response) -> float | None:
    """Return the seconds the server asks for: a number, or a date."""
    value = response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        date = email.utils.parsedate_tz(value)
    return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else None
