"""Recognise the envelope of a log line: time, level, logger, thread, host, whatever comes first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.records import Severity
from aiops_core.text.containers import ANY_CONTAINER
from aiops_core.text.envelope_forms import match_form, severity_of_fields
from aiops_core.text.envelope_scan import Scan
from aiops_core.text.levels import TRANSLATED
from aiops_core.text.release_fields import origin_in
from aiops_core.text.timestamps import in_zone, read_moment

_REACH = 400
"""An envelope ends within so many characters."""


class Envelope(Struct, frozen=True):
    """What stands before the message of a line; ``length`` is where the message starts.

    ``has_zone`` tells whether the line itself says of which zone ``occurred_at`` is.
    """

    length: int
    occurred_at: datetime | None = None
    severity: Severity | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    has_zone: bool = True


_NOTHING = Envelope(0)
_REMEMBERED = 1024


def parse_envelope(line: str, *, now: datetime | None = None, zone: tzinfo = UTC) -> Envelope:
    """Read the envelope of a line; length 0 where it has none, as on every indented line.

    Times without a zone are taken as of ``zone``, times without a year as the last such moment
    before ``now`` (the present by default). Of JSON and logfmt lines severity, time and release are read,
    and the length stays that of what precedes them.
    """
    if not line or line[0] in " \t":
        return _NOTHING
    if now is None and len(line) <= _REMEMBERED:
        return _parse_short(line, zone)
    return _in_zone(_parse(line, now or datetime.now(UTC)), zone)


@lru_cache(maxsize=1024)
def _parse_short(line: str, zone: tzinfo) -> Envelope:
    return _in_zone(_parse_shared(line), zone)


@lru_cache(maxsize=1024)
def _parse_shared(line: str) -> Envelope:
    """Parse a line that several readers ask about: the cutter, the detector, the host."""
    return _parse(line, datetime.now(UTC))


def _in_zone(envelope: Envelope, zone: tzinfo) -> Envelope:
    moment = envelope.occurred_at
    if moment is None or moment.tzinfo is not None:
        return envelope
    return replace(envelope, occurred_at=in_zone(moment, zone), has_zone=False)


def _parse(line: str, moment: datetime) -> Envelope:
    if line[0] == "{":
        severity, found = severity_of_fields(line, 0)
        return Envelope(0, read_moment(found, moment) if found else None, severity, origin_in(line, 0))
    if form := match_form(line):
        time = read_moment(form.time, moment) if form.time else None
        told = Envelope(form.length, time, form.severity, form.attributes)
        return _with_own(told, line[form.length :], moment) if form.is_of_carrier else told
    scan = Scan(line[:_REACH], moment)
    scan.run()
    severity, time = scan.severity or scan.priority, scan.time
    if scan.severity is None:
        from_fields, found = severity_of_fields(line, scan.sure)
        severity = from_fields or severity
        if from_fields:
            scan.attributes |= origin_in(line, scan.sure)
        time = time or (read_moment(found, moment) if found else None)
    return Envelope(scan.sure, time, severity, scan.attributes)


def _with_own(carrier: Envelope, text: str, moment: datetime) -> Envelope:
    """Add what the program itself wrote before its message: its level comes first, a carrier often tells one for all."""
    if not text or text[0] in " \t<":
        return carrier
    own = _parse(text, moment)
    return Envelope(
        carrier.length + own.length,
        carrier.occurred_at or own.occurred_at,
        own.severity or carrier.severity,
        {**own.attributes, **carrier.attributes},
    )


_SEVERE = tuple(
    word.encode()
    for word in (
        "err warn wrn crit crt fata ftl fail panic emerg alert sever ero lvl level prio "
        + " ".join(TRANSLATED[severity] for severity in ("critical", "error", "warning")).lower()
    ).split()
)
_SHORT = re.compile(rb"[EWFAC<](?:(?<=<)\d|(?<!<)(?<![A-Za-z].)(?![A-Za-z]))")
"""A letter that stands for a level, or a priority in angle brackets."""
_ONE_DIGIT = bytes.maketrans(b"123456789", b"000000000")

_TAGS = re.compile(r"(?:\s*\[[^\[\]]{1,100}\])*\s*")
"""What Rails puts before each message: the id of the request, and what else tells requests apart."""


def may_be_severe(raw: bytes) -> bool:
    """Rule out that the envelope of a line tells a level of at least a warning, without reading it."""
    # Lines that differ in numbers alone are looked at once.
    return _may_be_severe(raw.translate(_ONE_DIGIT)) if len(raw) <= _REMEMBERED else _has_severe(raw)


def _has_severe(raw: bytes) -> bool:
    return any(map(raw.lower().__contains__, _SEVERE)) or _SHORT.search(raw) is not None


_may_be_severe = lru_cache(maxsize=4096)(_has_severe)


@lru_cache(maxsize=256)
def can_precede(prefix: str, *, is_sure: bool = False) -> bool:
    """Tell whether a trigger that wants the start of a line may come after this text.

    It may after indentation, after an envelope with no word of a message in it, and after a
    logging line whose message ends in a colon: one of at least warning level, any where what follows
    ``is_sure`` to be no prose. One word behind the level is a logger's there.
    """
    if not prefix.strip(" \t"):
        return True
    if len(prefix) > _REACH:
        return False
    form = match_form(prefix)
    if form and _TAGS.fullmatch(prefix, form.length):
        return True
    scan = Scan(prefix, None, is_container=ANY_CONTAINER.match(prefix))
    scan.run()
    if scan.sure and scan.is_done and (is_sure or not (scan.severity and scan.plain_after_level)):
        return True
    severity = form.severity if form else scan.severity
    may_announce = severity in {"critical", "error", "warning"} or (is_sure and scan.times > 0)
    return may_announce and prefix.rstrip().endswith(":")
