"""What goes between the program and the process of one component: frames of JSON, never a pickle.

A frame is a header, which is a JSON object, and bytes that need no JSON. Records travel as the types
of the hooks say, and are checked against them where they arrive.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import traceback
from collections.abc import Mapping
from functools import cache
from inspect import signature
from typing import Any, get_type_hints

from msgspec import Struct, ValidationError

from aiops_core.errors import (
    AiopsError,
    NoAnswer,
    NotYet,
    PluginBroken,
    Refused,
    Retry,
    UserError,
)
from aiops_core.handover import WrongType
from aiops_core.hooks import Stages
from aiops_core.plain import from_plain, to_plain
from aiops_core.records import Json, RecipientResult, Usage

_SIZES = struct.Struct(">II")
_MOST = 64 << 20
"""Bytes of the largest header or body that is read."""

Header = Mapping[str, Json]


class NoMessage(Exception):
    """Say that what came is no message."""


def frame_of(header: Header, body: bytes = b"") -> bytes:
    """Return what goes through the pipe."""
    head = json.dumps(header).encode()
    return b"".join((_SIZES.pack(len(head), len(body)), head, body))


class Channel:
    """One end of the pipe; any thread may send, one reads."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._lock = threading.Lock()
        self._file = end.makefile("rb", buffering=1 << 16)

    def send(self, header: Header, body: bytes = b"") -> None:
        """Send a frame; raise OSError where nobody reads any more."""
        frame = frame_of(header, body)
        with self._lock:
            self._end.sendall(frame)

    def read(self) -> tuple[dict[str, Json], bytes] | None:
        """Return the next frame, None when the other side is gone; raise NoMessage for anything else."""
        try:
            sizes = self._file.read(_SIZES.size)
            if len(sizes) < _SIZES.size:
                return None
            head, body = _SIZES.unpack(sizes)
            if max(head, body) > _MOST:
                raise NoMessage(f"a message of {max(head, body)} bytes")
            header, attached = json.loads(self._file.read(head)), self._file.read(body)
        except OSError:
            return None
        except (ValueError, RecursionError) as error:
            raise NoMessage(str(error)) from None
        if not isinstance(header, dict):
            raise NoMessage("a message that is no mapping")
        return header, attached

    def close(self) -> None:
        """Let the other side know that nothing follows."""
        for end in (self._file, self._end):
            try:
                end.close()
            except OSError:
                continue


def dump(kind: Any, value: object) -> Json:  # Any: a type as hints have it
    """Return a record as JSON values; raise WrongType for one that holds what is no JSON."""
    try:
        plain = to_plain(value)
        from_plain(kind, plain)
    except (TypeError, ValidationError) as error:
        raise WrongType(f"{type(value).__name__} holds what it should not: {error}") from None
    return plain


def load(kind: Any, value: Json) -> Any:  # Any: what the type says
    """Return the record; raise PluginBroken for what is none."""
    try:
        return from_plain(kind, value)
    except ValidationError as error:
        raise PluginBroken(f"what came is no {getattr(kind, '__name__', kind)}: {error}") from None


class HookTypes(Struct, frozen=True):
    """What a hook is given, and what it returns."""

    arguments: Mapping[str, Any]  # Any: types as hints have them
    result: Any

    def dump_arguments(self, arguments: Mapping[str, object]) -> Json:
        """Return the arguments of a call."""
        return {name: dump(self.arguments[name], value) for name, value in arguments.items()}

    def load_arguments(self, arguments: Mapping[str, Json]) -> dict[str, Any]:  # Any: what hooks take
        """Return the arguments of a call again."""
        return {name: load(self.arguments[name], value) for name, value in arguments.items()}


@cache
def types_of(hook: str) -> HookTypes:
    """Return the types of a hook as its hookspec names them: the contract is the protocol."""
    spec = getattr(Stages, hook)
    hints = get_type_hints(spec)
    return HookTypes({name: hints[name] for name in list(signature(spec).parameters)[1:]}, hints["return"])


_PLAIN: Mapping[str, type[Exception]] = {
    "UserError": UserError,
    "PluginBroken": PluginBroken,
    "WrongType": WrongType,
    "AiopsError": AiopsError,
}


def dump_error(error: BaseException) -> Json:
    """Return what was raised, as far as the host looks at it."""
    said: dict[str, Json] = {"type": type(error).__name__, "text": str(error)}
    if isinstance(error, Refused):
        return {**said, "as": "Refused", "rule": error.rule, "setting": error.setting}
    if isinstance(error, NoAnswer):
        return {**said, "as": "NoAnswer", "usage": dump(Usage | None, error.usage)}
    if isinstance(error, Retry):
        name = "NotYet" if isinstance(error, NotYet) else "Retry"
        served = dump(tuple[RecipientResult, ...], error.served)
        return {**said, "as": name, "after": error.after, "served": served}
    plain = next((name for name, kind in _PLAIN.items() if isinstance(error, kind)), "")
    trace = "" if plain else "".join(traceback.format_exception(error))
    return {**said, "as": plain, "trace": trace}


def load_error(said: Json) -> Exception:
    """Return the exception again; one of no kind that the host knows keeps its name."""
    text, kind = str(said["text"]), said["as"]
    if kind == "Refused":
        return Refused(text, rule=str(said["rule"]), setting=str(said["setting"]))
    if kind == "NoAnswer":
        return NoAnswer(text, usage=load(Usage | None, said["usage"]))
    if kind in ("Retry", "NotYet"):
        served = load(tuple[RecipientResult, ...], said["served"])
        return (NotYet if kind == "NotYet" else Retry)(text, after=float(said["after"]), served=served)
    if kind in _PLAIN:
        return _PLAIN[kind](text)
    name = str(said["type"])
    raised: Exception = type(name if name.isidentifier() else "Error", (Exception,), {})(text)
    raised.add_note(f"in its process:\n{said['trace']}")
    return raised
