"""What a call has of its host while it lasts, as the component sees it in its own process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from aiops_core.budget import AtMost, Spending
from aiops_core.context import Effect, Tool
from aiops_core.isolation.wire import Channel, Header, dump, load, load_error
from aiops_core.records import Edit, Evidence, Json, Usage
from aiops_core.text.lines import Lines

_AHEAD = 4
"""Signals that a source may be ahead of the host."""


class Call:
    """One call in progress: what it says and asks goes to the host as of this call."""

    def __init__(self, channel: Channel, number: int) -> None:
        self._channel = channel
        self._number = number
        self._replied = threading.Semaphore(0)
        self._reply: Header = {}
        self.taken = threading.Semaphore(_AHEAD)

    def say(self, body: bytes = b"", **said: Json) -> None:
        """Tell the host something of this call."""
        self._channel.send({"call": self._number, **said}, body)

    def ask(self, what: str, **arguments: Json) -> Any:  # Any: JSON values
        """Ask the host for something, and return it."""
        self.say(ask=what, given=arguments)
        self._replied.acquire()
        if "error" in self._reply:
            raise load_error(self._reply["error"])
        return self._reply.get("value")

    def reply(self, header: Header) -> None:
        """Take what the host says to a question."""
        self._reply = header
        self._replied.release()


class Stopping(threading.Event):
    """Tell the host of every look: a component that looks lives."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = threading.local()

    def looked_at_by(self, call: Call) -> None:
        """Say whose thread this is."""
        self._calls.call = call

    def is_set(self) -> bool:
        self._beat()
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        left = float("inf") if timeout is None else timeout
        while left > 1 and not super().is_set():
            self._beat()
            if super().wait(1):
                return True
            left -= 1
        return super().wait(left)

    def _beat(self) -> None:
        call = getattr(self._calls, "call", None)
        if call is not None:
            with contextlib.suppress(OSError):
                call.say(beat=True)


class _Effect(Struct):
    """An effect whose record the host keeps."""

    result: Json
    is_uncertain: bool


class _Spending(Struct):
    """A call of a model that the host let through."""

    call: Call
    said: Json

    def settle(self, usage: Usage | None, said: Json = None) -> None:
        """Say what it really took, and what it said."""
        self.call.ask("settle", usage=dump(Usage | None, usage), said=said)


class _Explorer(Struct):
    """What a model may look up, which the host does."""

    ask: Call
    left: int
    tools: Sequence[Tool]
    found: list[Evidence] = field(default_factory=list)

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """Return what is to be sent to the model."""
        said = self.ask.ask("explore", name=name, arguments=dict(arguments))
        self.left = said["left"]
        self.found[:] = load(list[Evidence], said["found"])
        return str(said["text"])


class _Checkout(Struct, frozen=True):
    """Files that the host put there."""

    call: Call
    path: Path

    def edits(self) -> tuple[Edit, ...]:
        """Return what was changed."""
        found: tuple[Edit, ...] = load(tuple[Edit, ...], self.call.ask("edits", path=str(self.path)))
        return found


class SentLines(Lines):
    """The lines round a hit, those further below fetched when they are looked at."""

    def __init__(self, call: Call, sent: Mapping[str, Json]) -> None:
        super().__init__(b"", [0], final=bool(sent["final"]), unwrap=lambda raw: "")
        self._call = call
        self._lines: list[str] = list(sent["lines"])
        self._is_whole = bool(sent["whole"])
        self.capped = bool(sent["capped"])

    def get(self, index: int) -> str | None:
        while not self._is_whole and index >= len(self._lines):
            more = self._call.ask("lines", start=len(self._lines))
            self._lines += more["lines"]
            self._is_whole, self.final, self.capped = more["whole"], more["final"], more["capped"]
        return self._lines[index] if 0 <= index < len(self._lines) else None


@contextmanager
def effect(call: Call, name: str, key: str) -> Iterator[Effect]:
    known = call.ask("effect", name=name, key=key)
    effect = _Effect(known["result"], known["is_uncertain"])
    try:
        yield effect
    except BaseException:
        call.ask("effect_over", result=None, failed=True)
        raise
    call.ask("effect_over", result=effect.result, failed=False)


def looking(call: Call, explorer: Json) -> tuple[Any, Any, Any]:  # Any: as Context.exploring takes them
    """Return what a call of an analyzer may use, which the host has."""

    @contextmanager
    def purse(at_most: AtMost) -> Iterator[Spending]:
        said = call.ask("spend", at_most=dump(AtMost, at_most))
        try:
            yield _Spending(call, said)
        finally:
            call.ask("spent")

    def check_out(path: Path) -> _Checkout:
        return _Checkout(call, Path(call.ask("check_out", path=str(path))))

    tools = load(tuple[Tool, ...], explorer["tools"]) if explorer["tools"] is not None else None
    looks = None if tools is None else _Explorer(call, int(explorer["left"]), tools)
    return looks, check_out if explorer["has_files"] else None, purse
