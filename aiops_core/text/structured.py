"""Write traces that records hold as fields the way their languages print them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Fields: TypeAlias = Mapping[str, Any]  # Any: whatever was logged

_NAMES = (
    "exc_type",
    "name",
    "class",
    "type",
    "exceptionType",
    "errorType",
    "exception_class",
    "error_class",
    "kind",
)
_MESSAGES = (
    "exc_value",
    "message",
    "localizedMessage",
    "msg",
    "errorMessage",
    "exception_message",
    "error_message",
)
_STACKS = (
    "frames",
    "extendedStackTrace",
    "stack_trace",
    "stackTrace",
    "stacktrace",
    "backtrace",
    "exception_backtrace",
    "trace",
    "stack",
)
_CAUSES = ("cause", "previous", "causedBy")
_PANICS = ("panic", "error", "err", "msg", "message")
_MOST_CAUSES = 16
_RUBY = re.compile(r"\S+:\d+(?::in [`'].*|$)")
_GROUPS = ("error.", "exception.", "err.", "error_", "exception_")
"""What the names of fields begin with that belong to one exception: Elastic's schema, GitLab, Sidekiq."""
_PYTHON_CALL = re.compile(r'\s*File "[^"]*", line \d+')
_CALL = re.compile(r"\s+at \S")
_GOROUTINE = re.compile(r"goroutine \d+ \[")
_PHP = re.compile(r"\S+\.php:\d+$")


def written_out(fields: Fields) -> str | None:
    """Return the exception that fields describe as text of several lines; None where they describe none."""
    if told := _headed(fields) or "\n".join(_nextcloud(fields)):
        return told
    of_groups = (_of_group(fields, group) for group in (*_GROUPS, ""))
    return next((text for own in of_groups if (text := _listed(own))), None)


def _of_group(fields: Fields, group: str) -> Fields:
    return {name.removeprefix(group): value for name, value in fields.items() if name.startswith(group)}


def _listed(fields: Fields) -> str | None:
    """Return an exception whose calls are a list as its language prints it; None for any other."""
    chain = _chain(fields)
    stack = next((stack for one in chain if (stack := _stack(one))), None)
    if stack is None or (not _stack(chain[0]) and not _is_of_php(chain[0])):
        return None
    if isinstance(stack[0], dict):
        if isinstance(stack[0].get("class"), str) and isinstance(stack[0].get("method"), str):
            return "\n".join(_java(chain))
        return None
    if all(map(_PHP.match, stack)):
        return "\n".join(_php(chain))
    return "\n".join(_ruby(chain[0], stack)) if all(map(_RUBY.match, stack)) else None


def _headed(fields: Fields) -> str | None:
    """Return a stack that names no exception under the head its language prints; None for any other."""
    for group in ("", *_GROUPS):
        stack = next((text for name in _STACKS if (text := _as_text(fields.get(group + name)))), "")
        if not stack:
            continue
        own = _of_group(fields, group)
        if _GOROUTINE.match(stack):
            said = next((value for name in _PANICS if isinstance(value := own.get(name), str)), "")
            return f"panic: {said}\n\n{stack}" if said else None
        head = f"{_name(own)}: {_message(own)}".removesuffix(": ")
        if _name(own) and _PYTHON_CALL.match(stack):
            return f"Traceback (most recent call last):\n{stack.rstrip()}\n{head}"
        return f"{head}\n{stack}" if _name(own) and _CALL.match(stack) else None
    return None


def _as_text(stack: object) -> str:
    """Return a stack that is one text, or a list with a text for each call as AWS Lambda writes it; else ""."""
    if isinstance(stack, list) and all(isinstance(call, str) for call in stack):
        return "\n".join(call.rstrip("\n") for call in stack)
    return stack if isinstance(stack, str) else ""


def python_chain(value: object) -> str | None:
    """Return structlog's list of exceptions as Python prints them; None for any other list."""
    is_chain = isinstance(value, list) and bool(value) and _is_python(value[0])
    return "\n".join(_python(value)) if is_chain and isinstance(value, list) else None


def _chain(fields: Fields) -> list[Fields]:
    chain: list[Fields] = []
    value: Any = fields  # Any: whatever was logged
    while isinstance(value, dict) and len(chain) < _MOST_CAUSES and _name(value):
        chain.append(value)
        value = next((value[name] for name in _CAUSES if value.get(name)), None)
        if isinstance(value, dict) and isinstance(value.get("exception"), dict):
            value = value["exception"]
    return chain


def _stack(fields: Fields) -> Sequence[Any] | None:  # Any: as above
    """Return the list of calls, all of one kind."""
    for name in _STACKS:
        value = fields.get(name)
        if isinstance(value, list) and value:
            kind = type(value[0])
            return value if kind in {str, dict} and all(isinstance(one, kind) for one in value) else None
    return None


def _name(fields: Fields) -> str:
    """Return the type; Rails' lograge writes it and the message as one list."""
    pair = fields.get("exception")
    if isinstance(pair, list) and len(pair) > 1 and isinstance(pair[0], str):
        return pair[0]
    return next((value for name in _NAMES if isinstance(value := fields.get(name), str)), "")


def _message(fields: Fields) -> str:
    pair = fields.get("exception")
    if isinstance(pair, list) and len(pair) > 1:
        return str(pair[1])
    return next((value for name in _MESSAGES if isinstance(value := fields.get(name), str)), "")


def _java(chain: Sequence[Fields]) -> Iterator[str]:
    for index, one in enumerate(chain):
        yield f"{'Caused by: ' if index else ''}{_name(one)}: {_message(one)}".removesuffix(": ")
        for frame in _stack(one) or ():
            if isinstance(frame, dict):
                file, line = frame.get("file") or "Unknown Source", frame.get("line")
                place = f"{file}:{line}" if isinstance(line, int) and line > 0 else file
                yield f"\tat {frame.get('class')}.{frame.get('method')}({place})"


def _is_of_php(one: Fields) -> bool:
    """Tell whether an exception names its place as Monolog does; outside of all calls it has no others."""
    return _PHP.match(str(one.get("file"))) is not None


def _php(chain: Sequence[Fields]) -> Iterator[str]:
    for index, one in enumerate(reversed(chain)):
        stack = [call for call in _stack(one) or () if isinstance(call, str)]
        file, line = one.get("file"), one.get("line")
        place = f"{file}:{line}" if isinstance(line, int) else str(file or next(iter(stack), ""))
        yield f"{'Next' if index else 'PHP Fatal error:  Uncaught'} {_name(one)}: {_message(one)} in {place}"
        yield "Stack trace:"
        for number, call in enumerate(stack):
            path, _, at = call.rpartition(":")
            yield f"#{number} {path}({at}): "
        yield f"#{len(stack)} {{main}}"


def _is_of_nextcloud(fields: Fields) -> bool:
    """Tell whether fields describe an exception as Nextcloud and ownCloud do, their names in capitals."""
    is_named = isinstance(fields.get("Exception"), str) and isinstance(fields.get("Message"), str)
    return is_named and isinstance(fields.get("Trace"), str | list)


def _nextcloud(fields: Fields) -> Iterator[str]:
    chain = [fields] if _is_of_nextcloud(fields) else []
    while chain and isinstance(below := chain[-1].get("Previous"), dict) and len(chain) < _MOST_CAUSES:
        chain.append(below)
    for index, one in enumerate(reversed([one for one in chain if _is_of_nextcloud(one)])):
        place = f"{one.get('File', '')}:{one.get('Line', 0)}"
        yield f"{'Next' if index else 'PHP Fatal error:  Uncaught'} {one['Exception']}: {one['Message']} in {place}"
        yield "Stack trace:"
        if isinstance(one["Trace"], str):
            yield one["Trace"].rstrip("\n")
            continue
        calls = [call for call in one["Trace"] if isinstance(call, dict)]
        for number, call in enumerate(calls):
            at = f"{call['file']}({call.get('line', 0)})" if call.get("file") else "[internal function]"
            yield f"#{number} {at}: {call.get('class', '')}{call.get('type', '')}{call.get('function', '')}()"
        yield f"#{len(calls)} {{main}}"


def _ruby(one: Fields, stack: Sequence[str]) -> Iterator[str]:
    yield f"{stack[0]}: {_message(one)} ({_name(one)})"
    for call in stack[1:]:
        yield f"\tfrom {call}"


def _is_python(value: object) -> bool:
    return isinstance(value, dict) and "exc_type" in value and isinstance(value.get("frames"), list)


def _python(chain: Sequence[Any]) -> Iterator[str]:  # Any: as above
    for index, one in enumerate(reversed([one for one in chain if _is_python(one)])):
        if index:
            yield from ("", "The above exception was the direct cause of the following exception:", "")
        yield "Traceback (most recent call last):"
        for frame in one["frames"]:
            if isinstance(frame, dict):
                name, line = frame.get("filename", "?"), frame.get("lineno", 0)
                yield f'  File "{name}", line {line}, in {frame.get("name", "?")}'
        yield f"{one['exc_type']}: {one.get('exc_value', '')}"
