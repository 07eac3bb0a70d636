"""One call of a model, whatever its API: where it goes, what it asks, what comes back, what fails."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from aiops_core.context import Tool
from aiops_core.errors import AiopsError
from aiops_core.plain import from_plain, to_plain
from aiops_core.records import Json, Usage

_UNPAID = re.compile(
    r"insufficient[_ ](?:quota|balance|funds|credits?)|credit balance is too low|billing[_ ](?:hard[_ ]limit|not[_ ]active)"
    r"|out of credits?|account (?:is )?in arrears|arrearage|余额不足|欠费",
    re.IGNORECASE,
)
FailureKind: TypeAlias = Literal["again", "key", "request", "too-long"]


class Target(Struct, frozen=True):
    """Where a call goes, and with which key; the settings are those to name in messages."""

    base_url: str
    api_key: str
    model: str
    proxy: str = ""
    key_setting: str = "api_key"
    model_setting: str = "model"

    def __repr__(self) -> str:
        return f"Target({self.base_url!r}, {self.model!r})"


class Question(Struct, frozen=True):
    """What a call asks."""

    system: str
    messages: Sequence[Mapping[str, Any]]  # Any: text, or blocks as the API has them
    max_tokens: int
    timeout: float
    stream: bool
    effort: str | None = None
    is_enforced: bool = True
    """Whether the API enforces the shape of the answer."""
    tools: Sequence[Tool] = ()
    may_call: bool = True
    """Whether the model may still call its tools."""


class ToolCall(Struct, frozen=True):
    """A tool the model wants called."""

    id: str
    name: str
    arguments: Mapping[str, Any]  # Any: what the model wrote


class Said(Struct, frozen=True):
    """What the model said: its text, why it stopped (None: it did not), and what that took.

    Reasons are ``end_turn``, ``max_tokens``, ``refusal``, ``tool_use``, ``pause_turn``,
    ``model_context_window_exceeded``; any other gives no answer. ``content`` is what it said as it
    came: with tool calls it is sent back unchanged.
    """

    text: str
    stop_reason: str | None
    detail: str
    usage: Usage
    calls: tuple[ToolCall, ...] = ()
    content: tuple[Mapping[str, Any], ...] = ()  # Any: as the API has them


def as_json(said: Said) -> Json:
    """Return what a model said, to be kept."""
    return to_plain(said)


def said_before(kept: Json) -> Said:
    """Return what a model said, from what ``as_json`` made of it."""
    return from_plain(Said, kept)


class CallFailed(AiopsError):
    """Say why a call gave no message.

    ``again`` may pass by itself, ``key`` and ``request`` will not, ``too-long`` asks for less.
    ``is_free`` says that no model worked on it; else nobody knows what it took.
    """

    def __init__(
        self, message: str, kind: FailureKind, retry_after: float | None = None, *, is_free: bool = False
    ) -> None:
        self.kind: FailureKind = kind
        self.retry_after = retry_after
        self.is_free = is_free
        super().__init__(message)


def cannot_pay(status: int, words: str) -> bool:
    """Return whether a server says that the account has no credit, in whatever status it says so.

    That does not pass by itself: nothing is asked again before somebody has paid.
    """
    return status == 402 or (400 <= status < 500 and _UNPAID.search(words) is not None)


def unpaid(target: Target, said: str) -> CallFailed:
    """Return the failure of a call that was refused for want of credit, and what to do."""
    text = f"{target.key_setting}: the account cannot pay, {said}. Top it up, then run 'aiops reload'."
    return CallFailed(text, "key", is_free=True)
