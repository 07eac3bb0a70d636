"""What passed through the relay: calls, tokens, failures and why the model stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeAlias

from aiops_core import Usage, cannot_pay

Data: TypeAlias = Mapping[str, Any]  # Any: JSON of the API, unchecked
_TOKENS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Failure:
    """An error the API answered with; status 0: it was not reached."""

    status: int
    text: str
    retry_after: float = 0.0

    @property
    def may_pass(self) -> bool:
        """Whether another try later may do."""
        return not self.is_unpaid and (self.status in (0, 408, 409, 425, 429) or self.status >= 500)

    @property
    def is_unpaid(self) -> bool:
        """Whether the account has no credit."""
        return cannot_pay(self.status, self.text)

    @property
    def is_refused(self) -> bool:
        """Whether nothing is to be asked again before somebody mended it."""
        return self.is_unpaid or self.status in (401, 403)

    @property
    def refusal(self) -> str:
        """What people are told of that."""
        said = f"HTTP {self.status} {self.text}".rstrip(".")
        if self.is_unpaid:
            return f"the account cannot pay ({said}). Top it up, then run 'aiops reload'."
        return f"the API refuses the key ({said}). Check 'api_key'."


@dataclass(slots=True)
class Ledger:
    """The account of one session; any thread may write to it."""

    most_calls: int
    calls: int = 0
    model: str = ""
    stop_reason: str = ""
    failure: Failure | None = None
    """Of the last call, None where it went well."""
    _tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_TOKENS, 0))
    _lock: Lock = field(default_factory=Lock)

    def admit(self) -> bool:
        """Count one call; False when there were too many."""
        with self._lock:
            self.calls += 1
            return self.calls <= self.most_calls

    def failed(self, failure: Failure) -> None:
        """Note that the last call failed."""
        with self._lock:
            self.failure = failure

    def answered(self, model: str, stop_reason: str, usage: Data) -> None:
        """Note what one answer took."""
        with self._lock:
            self.failure = None
            self.model = model or self.model
            self.stop_reason = stop_reason
            for name in _TOKENS:
                self._tokens[name] += _count(usage.get(name))

    def usage(self, cost: float | None = None) -> Usage | None:
        """Return what all answers took together, None where there was none."""
        if not any(self._tokens.values()):
            return None
        taken, given, read, written = (self._tokens[name] for name in _TOKENS)
        return Usage(self.model, taken, given, read, written, cost)


class Meter:
    """Read the answer of one call as it passes, whole or as a stream of events."""

    def __init__(self, ledger: Ledger, *, is_stream: bool) -> None:
        self._ledger = ledger
        self._is_stream = is_stream
        self._rest = b""
        self._usage: dict[str, Any] = {}  # Any: as in Data
        self._model = self._stop_reason = ""

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        self._rest += chunk
        if not self._is_stream:
            return
        *lines, self._rest = self._rest.split(b"\n")
        self._rest = self._rest[:_LONGEST_LINE]
        for line in lines:
            if line.startswith(b"data:"):
                self._event(_data(line[5:]))

    def close(self) -> None:
        """Enter what was read into the ledger."""
        if not self._is_stream:
            self._message(_data(self._rest))
        self._ledger.answered(self._model, self._stop_reason, self._usage)

    def _event(self, event: Data) -> None:
        if event.get("type") == "message_start":
            self._message(_mapping(event.get("message")))
        elif event.get("type") == "message_delta":
            self._stop_reason = str(_mapping(event.get("delta")).get("stop_reason") or "")
            self._add(event)
        elif event.get("type") == "error":
            self._ledger.failed(Failure(529, str(_mapping(event.get("error")).get("message", ""))[:300]))

    def _message(self, message: Data) -> None:
        self._model = str(message.get("model") or "")
        self._stop_reason = str(message.get("stop_reason") or "")
        self._add(message)

    def _add(self, data: Data) -> None:
        usage = _mapping(data.get("usage"))
        self._usage.update({name: count for name, count in usage.items() if count is not None})


def error_text(body: bytes) -> str:
    """Return what an error answer of the API says."""
    error = _mapping(_data(body).get("error"))
    words = filter(None, (str(error.get(name) or "") for name in ("type", "message")))
    return ": ".join(words)[:300] or "no message of the Claude API"


def json_lines(text: str) -> Iterator[Data]:
    """Yield the JSON objects that stand alone on their lines."""
    for line in text.split("\n"):
        if line.startswith("{") and (data := _data(line.encode("utf-8", "replace"))):
            yield data


def _data(text: bytes) -> Data:
    try:
        return _mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> Data:  # Any: as in Data
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> int:  # Any: as in Data
    return value if isinstance(value, int) and 0 <= value < 1 << 40 else 0
