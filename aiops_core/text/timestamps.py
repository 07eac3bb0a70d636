"""Recognise the timestamps log lines begin with.

A time without a zone is taken as one of the zone asked for; one without a year as the latest such
moment that is not more than a day ahead of now; one without a date gives no moment at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OF_LOCALES = (
    ("jan", "janv", "ene", "gen"),
    ("feb", "févr", "fev", "Fev"),
    ("mars", "mar", "mär", "Mär", "mrt", "März"),
    ("apr", "avril", "abr"),
    ("mai", "may", "mei", "Mai", "mag"),
    ("jun", "juin", "giu", "Juni"),
    ("jul", "juil", "lug", "Juli"),
    ("aug", "août", "ago"),
    ("sep", "sept", "set", "Sept"),
    ("okt", "oct", "out", "Okt", "ott"),
    ("nov",),
    ("dec", "déc", "dez", "dic", "Dez"),
)
"""The months as journals are shown where the locale is not English."""
_NUMBERS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(zip(_MONTHS, _OF_LOCALES, strict=True), 1)
    for name in (names[0], *names[1])
}
_NAMES = frozenset(name[:3] for name in _NUMBERS) | {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
_NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_MONTH_OF = {**_NUMBERS, **{f"{numeral}月": number for number, numeral in enumerate(_NUMERALS, 1)}}
_FIRST_NUMERALS = frozenset(_NUMERALS[:10])
_AFTERNOON = frozenset({"PM", "下午", "午後", "오후"})
_DIGITS = frozenset("0123456789")
_ZONE_HOURS: Mapping[str, int] = {
    "Z": 0,
    "UTC": 0,
    "GMT": 0,
    "WET": 0,
    "BST": 1,
    "CET": 1,
    "CEST": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "JST": 9,
    "KST": 9,
    "EST": -5,
    "EDT": -4,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
}
_AMBIGUOUS = ("IST", "CST")
"""Names of several zones each: such a time is taken as one without a zone."""
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?(?!\d)"
_NAMED_ZONE = "|".join(sorted((*_ZONE_HOURS, *_AMBIGUOUS), key=len, reverse=True))
_ZONE = rf"(?: ?(?P<zone>(?:{_NAMED_ZONE})\b|[+-]\d\d(?::?\d\d(?![\d-])|(?= |$))))?"
_MONTH = rf"(?P<name>{'|'.join(_MONTHS)})"
_ANY_MONTH = rf"(?P<name>{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})\.?"

_HALVES = (
    r"(?P<day>\d{1,2}), (?P<year>\d{4}) (?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d) "
    r"(?P<half>[上下]午|午[前後]|오[전후])"
)
"""What follows the month where Java writes a time in Chinese, Japanese or Korean."""

_FROM_DIGIT = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<year>\d{{4}})[-/.](?P<month>\d\d)[-/.](?P<day>\d\d)(?:[T _-]|, ?){_CLOCK}{_ZONE}",
        r"(?P<epoch>1\d{9})(?:\.(?P<fraction>\d{1,9}))?(?=[\s\]:,}]|$)",
        r"(?P<millis>1\d{12})(?=[\s\]:,}]|$)",
        r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)[ \u202f](?P<half>[AP]M)(?=[\s\]]|$)",
        rf"{_CLOCK}(?![\d:])",
        r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?P<half>[AP]M)(?= [A-Z]{3} )",  # zerolog on a terminal
        rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d)[-T ]{_CLOCK}{_ZONE}",
        r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)-(?P<hour>\d\d)\.(?P<minute>\d\d)\.(?P<second>\d\d)"
        r"\.(?P<fraction>\d{1,9})",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)"
        r"(?P<zone>Z)?\b",
        rf"(?P<year>\d\d)/(?P<month>\d\d)/(?P<day>\d\d) {_CLOCK}",
        r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) (?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?= )",
        rf"(?P<month>\d\d)[-.](?P<day>\d\d) {_CLOCK}",
        rf"(?P<month>\d{{1,2}})月 {{1,2}}(?P<day>\d{{1,2}}) {_CLOCK}",
        rf"(?P<day>\d\d)[-/ ]{_MONTH}[-/ ](?P<year>\d{{4}})[: ]{_CLOCK}{_ZONE}",
        r"\d\d?/\d\d?/\d{4},? \d\d?:\d\d:\d\d(?:[.,]\d{1,9})?(?!\d)(?:[ \u202f][AP]M)?",  # whose month comes first cannot be known
        r"(?P<year>\d{4})[-.](?P<month>\d\d)[-.](?P<day>\d\d)(?=[\s\]])",
        rf"(?P<month>\d{{1,2}})[月월] {_HALVES}",
    )
)
_FROM_NUMERAL = (re.compile(rf"(?P<name>[{''.join(_NUMERALS[:10])}]{{1,2}}月) {_HALVES}"),)
_FROM_LETTER = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_ANY_MONTH} {{1,2}}(?P<day>\d{{1,2}}) (?:(?P<year>\d{{4}}) )?{_CLOCK}",
        rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? {_MONTH} {{1,2}}(?P<day>\d{{1,2}}) {_CLOCK}"
        rf"{_ZONE}(?: (?P<year>\d{{4}}))?",
        rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_CLOCK}{_ZONE}",
        rf"{_MONTH} (?P<day>\d{{1,2}}), (?P<year>\d{{4}}) (?P<hour>\d{{1,2}}):(?P<minute>\d\d):"
        r"(?P<second>\d\d)[ \u202f](?P<half>[AP]M)",
    )
)


def match_time(line: str, at: int = 0) -> re.Match[str] | None:
    """Return the timestamp that begins at column ``at``, None where there is none."""
    if line[at : at + 1] in _DIGITS:
        patterns = _FROM_DIGIT
    elif line[at : at + 3] in _NAMES:
        patterns = _FROM_LETTER
    elif line[at : at + 1] in _FIRST_NUMERALS:
        patterns = _FROM_NUMERAL
    else:
        return None
    for pattern in patterns:
        if found := pattern.match(line, at):
            return found
    return None


def to_moment(found: re.Match[str], now: datetime | None = None, zone: tzinfo = UTC) -> datetime | None:
    """Return the moment a matched timestamp names, None where it names none; ``now`` is the present by default."""
    moment = read_moment(found, now)
    return moment and in_zone(moment, zone)


def read_moment(found: re.Match[str], now: datetime | None = None) -> datetime | None:
    """Return the moment a matched timestamp names, without a zone where it names none."""
    if found.re is _FROM_DIGIT[0] and (moment := _from_iso(found[0])):
        return moment
    parts = found.groupdict()
    try:
        if seconds := parts.get("epoch"):
            fraction = f"0.{parts['fraction'] or 0}"
            return datetime.fromtimestamp(int(seconds) + float(fraction), UTC)
        if millis := parts.get("millis"):
            return datetime.fromtimestamp(int(millis) / 1000, UTC)
        return _from_parts(parts, now or datetime.now(UTC))
    except ValueError:
        return None


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Return the moment in UTC; one without a zone is taken as one of ``zone``."""
    if moment.tzinfo is UTC:
        return moment
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, OSError, ValueError):  # at the ends of the calendar
        return moment.replace(tzinfo=UTC)


class _Local(tzinfo):
    """The zone of this machine, as the C library knows it: the environment's ``TZ`` comes first."""

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        return when.replace(tzinfo=None).astimezone().utcoffset() if when else None

    def dst(self, when: datetime | None) -> timedelta | None:
        return None

    def fromutc(self, when: datetime) -> datetime:
        return when.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)

    def tzname(self, when: datetime | None) -> str | None:
        return when.replace(tzinfo=None).astimezone().tzname() if when else None


LOCAL: tzinfo = _Local()
"""The zone of this machine; UTC where it is unknown."""


def zone_named(name: str) -> tzinfo:
    """Return the zone of an IANA name, or ``local``; raise ValueError for an unknown one."""
    if name == "local":
        return LOCAL
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError(
            f"{name!r} is no time zone known here: write a name as in Asia/Shanghai, UTC, or local, this "
            "machine's own. Where no name is known the system lacks its package tzdata"
        ) from None


def _from_iso(text: str) -> datetime | None:
    """Read what the standard library reads, which is much faster than reading it by parts."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo in {None, UTC} else moment.astimezone(UTC)


def _from_parts(parts: dict[str, str | None], now: datetime) -> datetime | None:
    day, clock = parts.get("day"), parts.get("hour")
    if day is None or clock is None:
        return None
    name = parts.get("name")
    month = _MONTH_OF[name] if name else int(parts["month"] or 0)
    hour = int(clock)
    if half := parts.get("half"):
        hour = hour % 12 + (12 if half in _AFTERNOON else 0)
    fraction = (parts.get("fraction") or "0")[:6].ljust(6, "0")
    second = min(int(parts["second"] or 0), 59)  # a leap second is the end of its minute
    rest = (month, int(day), hour, int(parts["minute"] or 0), second, int(fraction))
    zone = _zone(parts.get("zone"))
    if written := parts.get("year"):
        year = int(written)
        moment = datetime(year + 2000 if year < 100 else year, *rest, tzinfo=zone)
        return moment.astimezone(UTC) if zone else moment
    return _latest(rest, zone, now)


def _latest(
    rest: tuple[int, int, int, int, int, int], zone: timezone | None, now: datetime
) -> datetime | None:
    """Return the latest moment of that day and time that is not more than a day ahead."""
    limit = now + timedelta(days=1)
    for year in (now.year + 1, now.year, now.year - 1):
        try:
            moment = datetime(year, *rest, tzinfo=zone)
        except ValueError:
            continue  # no 29 February
        if (moment if zone else moment.replace(tzinfo=UTC)) <= limit:
            return moment.astimezone(UTC) if zone else moment
    return None


def _zone(text: str | None) -> timezone | None:
    if not text or text in _AMBIGUOUS:
        return None
    if (hours := _ZONE_HOURS.get(text)) is not None:
        return timezone(timedelta(hours=hours))
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:].lstrip(":") or 0))
    return timezone(-offset if text[0] == "-" else offset)
