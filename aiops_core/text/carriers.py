"""Recognise what carried a line here: docker's JSON files, CRI, syslog, or a prefix per process.

Several programs may write into one physical stream. A carrier tells whose line it is, takes its
own words off, and joins the pieces that a runtime split.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.records import Severity
from aiops_core.text.containers import container_of
from aiops_core.text.envelope import parse_envelope
from aiops_core.text.levels import severity_of_number
from aiops_core.text.timestamps import match_time
from aiops_core.text.unwrap import decode_line, level_in, prefix_length, strip_ansi

_MOST_LINE = 1 << 20


class Carried(Struct, frozen=True):
    """One line as its program wrote it: ``stream`` says whose it is, ``envelope`` what the carrier told.

    ``is_partial``: the next line of the same stream goes on where this one stops.
    """

    stream: str
    text: str
    envelope: str = ""
    severity: Severity | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_partial: bool = False
    is_bare: bool = False
    """Whether the program named no writer in it, as it does in others: ``stream`` is that of them all."""


Carrier = Callable[[bytes], Carried | None]
"""Read one raw line; None for a line that this carrier did not bring."""

PIECES = (
    r" std(?:out|err) P",
    r"(?:[^n]|[^\\]n|\\\\n)\x22, ?\x22stream\x22: ?\x22std(?:out|err)\x22, ?"
    r"(?:\x22attrs\x22: ?\{[^{}]*\}, ?)?\x22time\x22: ?\x22[^\x22]*\x22\}",
)
"""What the raw pieces of a line show that CRI or docker split, and hardly any whole line.

The quotes are of the record itself: written by their codes they do not match escaped ones.
"""
_DOCKER = re.compile(rb'\{"log": ?"(?:[^"\\]|\\.)*" ?[,}]')
_DOCKER_KEYS = frozenset({"log", "stream", "time", "attrs"})
"""What docker itself writes; what a shipper adds to tells that it took the line ends off."""
_WRITERS = frozenset(
    [
        "stream",
        "iostream",
        "streamid",
        "source",
        "pid",
        "process",
        "thread",
        "threadname",
        "logger",
        "name",
        "container",
        "containerid",
        "containername",
        "docker",
        "pod",
        "podid",
        "podname",
        "namespacename",
        "kubernetes",
        "host",
        "hostname",
        "unit",
        "systemdunit",
        "service",
        "resource",
        "labels",
        "loggroup",
        "loggroupname",
        "logname",
        "logstream",
        "logstreamname",
    ]
)
"""Fields that tell writers apart, alone or as what holds such fields, however they are spelt."""
_HOLDERS = _WRITERS | {"k8s", "namespace", "instance", "log", "file"}
"""What holds fields that tell writers apart: an object, or a word before a dot."""
_WITHIN = _WRITERS | {"id", "uid", "path"}
"""What tells writers apart in a holder."""
_NO_LETTERS = str.maketrans("", "", "_-@ ")
_PATH = re.compile(r"(?:/|[A-Za-z]:\\)(?!.*:\d+\)?$)")
"""The file a line was read from, not the place in the code that wrote it."""
_CRI = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP](?::\S*)?)(?: |(?=\s|$))"
)
_SYSLOG = re.compile(
    rb"<(\d{1,3})>1 (\S{1,64}) (\S{1,255}) (\S{1,128}) (\S{1,128}) (\S{1,64}) "
    rb"(-|(?:\[(?:[^\]\\\"]|\\.|\"(?:[^\"\\]|\\.)*\")*\])+) ?(?:\xef\xbb\xbf)?"
)
_BSD_SYSLOG = re.compile(
    rb"(?:<(\d{1,3})>)?([A-Z][a-z]{2} (?:[ \d]\d|\d)(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: \d{4}(?= ))?"
    rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"
    rb"(?: (\S{0,254}[^\s:]))? ([^\s:\[\]]{1,128}|[^\s:\[\]][^:\[\]\n]{1,60}(?=\[))(?:\[([^\]\s]{1,64})\])?: ?"
)
_JOURNAL = re.compile(
    r"(?:\[ *\d+\.\d{6}(?: <[ \d.]{1,20}>)?\]"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|[一二三四五六日]) "
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? (?:[A-Z]{2,5}|[+-]\d\d(?:\d\d)?)))"
    r" (?P<host>[\w.-]{1,255}) (?P<service>kernel(?=:)|[^\s:\[\]]{1,128}(?=\[))(?:\[(?P<pid>\d{1,8})\])?: ?"
)
"""What ``journalctl`` writes with ``-o short-full``, ``with-unit``, ``short-monotonic`` and ``short-delta``."""
_BARE_SYSLOG = re.compile(
    rb"<(\d{1,3})>([^\s:\[\]<>]{1,128}(?=\[)|[a-z][a-z\d_./-]{0,127}(?=:))(?:\[([^\]\s]{1,64})\])?: "
)
"""What is sent without a time; a name with capitals and no number may be the type of an exception."""
_RAISED = re.compile(rb"(?:Error|Exception|Throwable|Failure|Fault|Warning|Interrupt|Exit)$")
_POOL = re.compile(
    rb"\[(?P<time>\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d)\] WARNING: \[pool (?P<service>[^\]]{1,60})\] "
    rb"child (?P<pid>\d{1,8}) said into std(?:err|out): \"(?:NOTICE: PHP message: )?(?P<text>.*?)\"?(?:, pipe is closed)?\s*$"
)
_BEFORE_BAR = re.compile(r"[A-Za-z][\w.-]{0,63}")
_PARAMETER = re.compile(r'(\w[\w.-]*)="((?:[^"\\]|\\.)*)"')
_OWN_DATA = re.compile(r"\[aiops@32473 ((?:[^\]\"\\]|\\.|\"(?:[^\"\\]|\\.)*\")*)\]")
_OCTAL = re.compile(r"#(0[0-3][0-7]|177)")
_ESCAPED = re.compile(r"\\(.)")


def carrier_of(raw: bytes) -> tuple[Carrier, Carried] | None:
    """Return the carrier of a raw line and what it brought; None for a line that stands for itself."""
    for carrier in _CARRIERS.get(raw[:1], ()):
        if (carried := carrier(raw)) is not None:
            is_padded = carrier is _container and b"  |" in raw[:80]
            return _column(decode_line(raw).find("|")) if is_padded else carrier, carried
    return None


def _docker(raw: bytes) -> Carried | None:
    if len(raw) > _MOST_LINE or not _DOCKER.match(raw):
        return None
    try:
        record = json.loads(raw)
        text, stream = record["log"], record.get("stream", "")
        attributes = {**(record.get("attrs") or {}), "stream": stream}
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    if not all(isinstance(value, str) for value in attributes.values()):
        attributes = {}
    is_partial = record.keys() <= _DOCKER_KEYS and not text.endswith("\n")
    line = strip_ansi(text.removesuffix("\n").removesuffix("\r"))
    name = " ".join(["docker", *writer_of(record)])
    return Carried(name, line, str(record.get("time", "")), None, attributes, is_partial)


def writer_of(fields: Mapping[str, Any], *, is_within: bool = False) -> Iterator[str]:  # Any: as logged
    """Yield what tells the writer of a record from others; ``is_within``: of what a field of it holds."""
    for name, value in fields.items():
        *holders, last = _words(name)
        if not _HOLDERS.issuperset(holders):
            continue
        if isinstance(value, Mapping):
            if last in _HOLDERS:
                yield from writer_of(value, is_within=True)
        elif isinstance(value, str | int) and _tells_writer(last, value, is_within or bool(holders)):
            yield f"{name}={value}"


@lru_cache(maxsize=1024)
def _words(name: str) -> tuple[str, ...]:
    """Return the parts of a field's name: ``_SYSTEMD_UNIT`` is `systemdunit`, ``log.fileName`` `log` and `filename`."""
    return tuple(name.lower().translate(_NO_LETTERS).split("."))


def _tells_writer(name: str, value: str | int, is_within: bool) -> bool:
    if name == "file":
        return isinstance(value, str) and _PATH.match(value) is not None
    return name in (_WITHIN if is_within else _WRITERS)


def _cri(raw: bytes) -> Carried | None:
    found = _CRI.match(raw)
    if found is None:
        return None
    time, stream, tag = (part.decode("utf-8", "replace") for part in found.groups())
    text = decode_line(raw[found.end() :])
    return Carried(f"cri {stream}", text, time, None, {"stream": stream}, tag.startswith("P"))


def _syslog(raw: bytes) -> Carried | None:
    found = _SYSLOG.match(raw)
    if found is None or (priority := int(found[1])) > 191:
        return None
    time, host, service, pid, message, data = (part.decode("utf-8", "replace") for part in found.groups()[1:])
    names = {"host": host, "service": service, "pid": pid, "message_id": message}
    attributes = {name: value for name, value in names.items() if value != "-"}
    own = _OWN_DATA.search(data) if "aiops@" in data else None
    for name, value in _PARAMETER.findall(own[1]) if own else ():
        attributes[name] = _ESCAPED.sub(r"\1", value)
    stream = f"{host} {service} {pid} {attributes.get('stream', '')}"
    text = decode_line(raw[found.end() :])
    text = text if own else _unescaped(text)
    return Carried(stream, text, time, severity_of_number(priority % 8), attributes)


def _unescaped(text: str) -> str:
    """Return the text with the control characters that rsyslog writes as numbers."""
    return _OCTAL.sub(lambda one: chr(int(one[1], 8)), text)


def _bsd_syslog(raw: bytes) -> Carried | None:
    found = _BSD_SYSLOG.match(raw)
    if found is None or not _is_header(found):
        return None
    time, host, service, pid = ((part or b"").decode("utf-8", "replace") for part in found.groups()[1:])
    names = {"host": host, "service": service, "pid": pid}
    attributes = {name: value for name, value in names.items() if value}
    text = _unescaped(decode_line(raw[found.end() :]))
    severity = severity_of_number(int(found[1]) % 8) if found[1] else None
    return Carried(f"{host} {service} {pid}", text, time, severity, attributes)


def _bare_syslog(raw: bytes) -> Carried | None:
    found = _BARE_SYSLOG.match(raw)
    if found is None or not 8 <= (priority := int(found[1])) <= 191:  # below 8 the kernel speaks
        return None
    service, pid = ((part or b"").decode("utf-8", "replace") for part in found.groups()[1:])
    names = {"service": service, "pid": pid}
    text = _unescaped(decode_line(raw[found.end() :]))
    attributes = {name: value for name, value in names.items() if value}
    return Carried(f" {service} {pid}", text, "", severity_of_number(priority % 8), attributes)


def _is_header(found: re.Match[bytes]) -> bool:
    """Tell a header from a message; one that is not sent on, as of a container, names no host."""
    priority, time, host, service, pid = found.groups()
    if priority:
        return int(priority) <= 191 and bool(host or pid or not _RAISED.search(service))
    return bool(host and (pid or not time[:1].isdigit()))  # a time, a name and a colon are many things


def _journal(raw: bytes) -> Carried | None:
    text = decode_line(raw)
    found = _JOURNAL.match(text)
    if found is None:
        return None
    names = {name: found[name] for name in ("host", "service", "pid") if found[name]}
    return Carried(" ".join(names.values()), text[found.end() :], found["time"] or "", None, names)


def _pool(raw: bytes) -> Carried | None:
    """Read what the master of PHP-FPM repeats of its workers."""
    found = _POOL.match(raw)
    if found is None:
        return None
    time, text = found["time"].decode(), decode_line(found["text"])
    attributes = {name: found[name].decode("utf-8", "replace") for name in ("service", "pid")}
    return Carried(" ".join(attributes.values()), text, time, None, attributes)


def _container(raw: bytes) -> Carried | None:
    text = decode_line(raw)
    found = container_of(text)
    if found is None:
        return None
    names = {name: value for name, value in found.groupdict().items() if value}
    time = names.pop("time", "")
    return Carried(" ".join(names.values()), text[found.end() :], time, None, names)


@lru_cache(maxsize=64)
def _column(bar: int) -> Carrier:
    """Return the carrier of lines behind a bar in this column: the longest name is followed by no spaces."""

    def read(raw: bytes) -> Carried | None:
        carried = _container(raw)
        if carried is not None:
            return carried
        name, _, text = decode_line(raw).partition(" |")
        if len(name) != bar - 1 or not _BEFORE_BAR.fullmatch(name):
            return None
        return Carried(name, text.removeprefix(" "), "", None, {"service": name})

    return read


_CARRIERS: Mapping[bytes, tuple[Carrier, ...]] = {
    b"{": (_docker,),
    b"<": (_syslog, _bsd_syslog, _bare_syslog),
    **{bytes([digit]): (_cri, _bsd_syslog, _container) for digit in b"0123456789"},
    **{bytes([letter]): (_bsd_syslog, _journal, _container) for letter in b"JFMASOND"},
    **{bytes([letter]): (_journal, _container) for letter in b"TW\xe4\xe5\xe6"},
    **{bytes([first]): (_container,) for first in b"abcdefghijklmnopqrstuvwxyz(#@+-\x1b"},
    b"[": (_pool, _journal, _container),
}

_NAME = re.compile(
    r"\[ *([^\[\]\s|]{1,60})\]"  # [p1], [worker-3], [4711]
    r"|([\w./-]{1,60}\[\d+\])"  # app[4711]
    r"|(?<![\w.])(?:pid|tid|thread|worker|process)[ =:#-]{0,2}([\w-]{1,60})"
    r"|^([\w./@-]{1,64}) *\|"  # web-1 |
    r"|^(?:[+-] )?([a-z\d][a-z\d.-]{0,62}-[a-z\d]{1,5}) (?:› )?[a-z\d-]{1,63} "  # stern's pod and container
    r"|#(\d+)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\s\[\](){}<>【】|]*[^\s\[\](){}<>【】|:;,]")
_CLOSED = re.compile(r"[\])|:]{1,2} *")
"""What ends the part of a prefix that names the writer: the lines below a record may have no more of it."""
_NO_NAME = re.compile(r"[\d.,:TZ+-]*[.:,][\d.,:TZ+-]*$|[CT]\d+$|[A-Z]{3,9}$|\d{4}-\d\d-\d\d.*$")


def prefix_carrier(prefix: str, *, is_shared: bool = False) -> Carrier | None:
    """Return the carrier of lines with a prefix like this one; None where it names no writer.

    A process, thread or container names one; a time, a level, a counter does not. Where a prefix ``is_shared`` by
    all lines of a block, any words do if nothing else names one.
    """
    names = _shared_names(prefix) if is_shared else _names(prefix)
    if not names:
        return None
    length = prefix_length(prefix, names)
    shorter = _CLOSED.match(prefix, names[-1][1])
    least = prefix_length(prefix[: shorter.end()], names) if shorter else length
    level = level_in(prefix)

    def read(raw: bytes) -> Carried | None:
        text = decode_line(raw)
        end = length(text) or least(text)
        if not end:
            return None
        # A line of another level is of another record: what tells that stays.
        is_same = not level or level_in(text[:end]) in {level, ""}
        return Carried(
            stream_of(text[:end], is_shared=is_shared), text[end:] if is_same else text, text[:end]
        )

    return read


def names_writer(prefix: str) -> bool:
    """Tell whether a prefix names its writer by itself: nothing more is known of it where others have the like."""
    return _names(prefix) == _shared_names(prefix)


def is_prefixed(line: str, prefix: str) -> bool:
    """Tell whether a line has a prefix like this one, of whatever writer."""
    carrier = prefix_carrier(prefix, is_shared=True)
    return carrier is not None and carrier(line.encode()) is not None


def within(outer: Carrier, inner: Carrier | None, strip: Callable[[str], str]) -> Carrier:
    """Return the carrier of lines that have a prefix inside another carrier."""

    def read(raw: bytes) -> Carried | None:
        carried = outer(raw)
        if carried is None or inner is None:
            return carried and replace(carried, text=strip(carried.text))
        found = inner(carried.text.encode())
        if found is None:
            return replace(carried, is_bare=True)
        return replace(carried, stream=f"{carried.stream} {found.stream}", text=found.text)

    return read


def stream_of(prefix: str, *, is_shared: bool = False) -> str:
    """Return whose lines have this prefix, see ``prefix_carrier``; "" where it names nobody."""
    places = _shared_names(prefix) if is_shared else _names(prefix)
    return " ".join(prefix[start:end] for start, end in places)


@lru_cache(maxsize=512)
def _names(prefix: str) -> tuple[tuple[int, int], ...]:
    return _places(_NAME, prefix, 0, parse_envelope(prefix).length or len(prefix))


@lru_cache(maxsize=512)
def _shared_names(prefix: str) -> tuple[tuple[int, int], ...]:
    length = len(prefix)
    behind = parse_envelope(prefix).length
    return (
        _places(_NAME, prefix, 0, length)
        or _places(_WORD, prefix, behind, length)
        or _places(_WORD, prefix, 0, length)
    )


def _places(pattern: re.Pattern[str], prefix: str, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """Return where words stand that may name a writer."""
    places = (found.span(found.lastindex or 0) for found in pattern.finditer(prefix, start, end))
    return tuple(
        (start, end)
        for start, end in places
        if match_time(prefix[start:end]) is None and not _NO_NAME.match(prefix[start:end])
    )


def tells_level(carrier: Carrier) -> bool:
    """Tell whether the carrier's own words hold what people read as part of the line."""
    return carrier in {_syslog, _bsd_syslog, _bare_syslog}


def as_written(block: str) -> str:
    """Return the raw lines of a block for people: as their program wrote them, see ``readable``."""
    texts: list[str] = []
    for line in block.splitlines(keepends=True):
        carried = _carried_for_us(line.encode("utf-8", "replace"))
        texts.append(line if carried is None else carried.text + "\n" * (not carried.is_partial))
    return "".join(texts)


def readable(raw: bytes) -> str:
    """Return a line for people: what docker, CRI and our own sources add is taken off."""
    carried = _carried_for_us(raw)
    return decode_line(raw) if carried is None else carried.text


def _carried_for_us(raw: bytes) -> Carried | None:
    first = raw[:1]
    if first == b"{":
        return _docker(raw)
    if first == b"<" and b"[aiops@" in raw:
        return _syslog(raw)
    return _cri(raw) if first.isdigit() else None
