"""The envelopes with a shape of their own, and the fields of JSON and logfmt lines."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field

from aiops_core.records import Severity
from aiops_core.text.levels import LETTERS, LEVEL_WORDS, SEVERITY_OF, severity_of, severity_of_number
from aiops_core.text.timestamps import match_time

_FIELDS_REACH = 4096


class Form(Struct, frozen=True):
    """One recognised envelope."""

    length: int
    severity: Severity | None
    time: re.Match[str] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_of_carrier: bool = False
    """Whether a carrier wrote it, before whatever its program did."""


_KLOG = re.compile(
    r"(?P<letter>[IWEF])(?:\d{4})?(?P<time>\d{4} \d\d:\d\d:\d\d)\.\d+ +(?P<pid>\d+) (?P<place>[^\s:\]]+:\d+)\] ?"
)
_RUBY = re.compile(
    r"(?P<letter>[DIWEFA]), \[(?P<time>\d{4}-[^\]#]{8,40}?) ?(?:#(?P<pid>\d+))?\] +[A-Z]+ -- (?P<logger>[^:]{0,60}): ?"
)
_ANDROID_TIME = r"(?P<time>(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) +"
_ANDROID = re.compile(
    rf"{_ANDROID_TIME}(?P<pid>\d+) +(?P<thread>\d+) (?P<letter>[VDIWEFA]) (?P<logger>[^:]{{0,60}}?) *: ?"
)
_ANDROID_VIEWED = re.compile(
    rf"{_ANDROID_TIME}(?:(?P<pid>\d+)-(?P<thread>\d+)/\S{{1,100}} )?(?P<letter>[VDIWEFA])/(?P<logger>[\w.$-]{{1,60}})"
    r" *(?:\( *\d+\))?: ?"
)
"""What adb writes of the time alone, and what older viewers make of it."""
_ANDROID_TABLE = re.compile(
    rf"{_ANDROID_TIME}(?P<pid>\d+)-(?P<thread>\d+) +(?P<logger>\S{{1,60}}) +(?P<service>\S{{1,100}}) +"
    r"(?P<letter>[VDIWEFA])  ?"
)
"""What newer viewers write, in columns."""
_ANDROID_BRIEF = re.compile(
    r"(?P<letter>[VDIWEFA])(?:/|(?<!A) (?=[\w.$-]{1,60} *: )(?!\w*(?:Error|Exception)\b))(?P<logger>[\w.$-]{1,60}) *"
    r"(?:\( *(?P<pid>\d+)\))?: ?"
)
_ANDROIDS = (_ANDROID, _ANDROID_VIEWED, _ANDROID_TABLE)
_SYSLOG = re.compile(
    r"<(?P<priority>\d{1,3})>1 (?P<time>\S+) (?P<host>\S+) (?P<service>\S+) (?P<pid>\S+) \S+ "
    r"(?:-|(?:\[(?:[^\]\\\"]|\\.|\"(?:[^\"\\]|\\.){0,400}\"){0,400}\])+) ?"
)
_DOTNET = re.compile(r"(?P<level>trce|dbug|info|warn|fail|crit): (?P<logger>[\w.+`]{1,120})\[\d+\]\s?")
_GLIB = re.compile(
    rf"(?:\*\* )?\((?P<service>[^():]{{1,60}}):(?P<pid>\d+)\): (?:(?P<logger>[\w.-]+)-)?(?P<level>{LEVEL_WORDS}) \*\*: "
    r"(?:\d\d:\d\d:\d\d\.\d+: )?"
)
_CHROMIUM = re.compile(
    rf"\[(?P<pid>\d+):(?:\d+:)?\d{{4}}/\d{{6}}\.\d+:(?P<level>{LEVEL_WORDS}):(?P<place>[\w./]+\(\d+\))\] ?"
)
_TORNADO = re.compile(
    r"\[(?P<letter>[DIWEC]) (?P<time>(?:(?:\d{6}|\d{4}-\d\d-\d\d) )?\d\d:\d\d:\d\d(?:[.,]\d{1,6})?) (?P<place>[^\s\]]{1,80})\] ?"
)
"""What Tornado and Jupyter write."""
_UWSGI = re.compile(r"\[pid: (?P<pid>\d+)\|app: \S+\|req: \S+\] ")
"""What uWSGI writes of a request."""
_LOGRUS = re.compile(r"(?P<level>PANI|FATA|ERRO|WARN|INFO|DEBU|TRAC)\[\d{4,10}\] ?")
"""What logrus writes on a terminal."""
_GETH = re.compile(rf"(?P<level>{LEVEL_WORDS}) ?\[(?P<time>\d\d-\d\d\|\d\d:\d\d:\d\d(?:\.\d{{3}})?)\] ?")
"""What log15 and its kin write on a terminal."""
_WEBLOGIC = re.compile(
    r"####<[^<>]{10,40}> <(?P<level>\w{1,12})> <(?P<logger>[^<>]{0,80})> (?:<(?:[^<>]|<[^<>]*>)*> )*(?=<)"
)
_PYTHON = re.compile(rf"(?P<level>{LEVEL_WORDS}):(?P<logger>[\w.]+):")
_PARTED = re.compile(
    r"(?P<time>(?:[A-Z][a-z]{2}|\w{1,2}[月월]) \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d[ \u202f](?:[AP]M|[^\W\d]{2})) (?P<logger>[\w.$]+)(?: [\w$<>]+)? "
    rf"(?P<level>{LEVEL_WORDS}): "
)
"""What java.util.logging writes, in two lines: the level begins the second."""
_FORMS: Mapping[str, tuple[re.Pattern[str], ...]] = {
    **dict.fromkeys("IWEFDVA", (_KLOG, _RUBY, _ANDROID_BRIEF, _PYTHON, _LOGRUS, _GETH)),
    **dict.fromkeys("CNPSTL", (_PYTHON, _LOGRUS, _GETH)),
    "#": (_WEBLOGIC,),
    **dict.fromkeys("012", _ANDROIDS),
    **dict.fromkeys("tdiwfc", (_DOTNET,)),
    "<": (_SYSLOG,),
    "*": (_GLIB,),
    "(": (_GLIB,),
    "[": (_CHROMIUM, _TORNADO, _UWSGI),
}
_MONTHS = frozenset("JFMASOND")
_MONTH_SIGNS = frozenset("月월")
_NAMED = ("pid", "thread", "logger", "host", "service", "place")


def match_form(line: str) -> Form | None:
    """Return the envelope of a line that has one of the shapes known as a whole."""
    for pattern in _FORMS.get(line[:1], ()):
        if found := pattern.match(line):
            return _form(found)
    found = _PARTED.match(line) if _may_be_parted(line) else None
    return _form(found) if found else None


def _may_be_parted(line: str) -> bool:
    return line[:1] in _MONTHS or line[1:2] in _MONTH_SIGNS or line[2:3] in _MONTH_SIGNS


def is_parted(first: str, second: str) -> bool:
    """Tell whether two lines are the time and the level of one record, see ``joined``."""
    found = _PARTED.match(joined(first, second)) if _may_be_parted(first) else None
    return found is not None and found.start("level") == len(first) + 1


def joined(first: str, second: str) -> str:
    """Return the envelope of a record in two lines as one, its message behind it."""
    return f"{first} {second}"


def is_on_every_line(line: str) -> bool:
    """Tell whether the envelope of a line is one that stands before each line of a message."""
    return any(pattern.match(line) for pattern in (*_ANDROIDS, _ANDROID_BRIEF))


def _form(found: re.Match[str]) -> Form:
    parts = found.groupdict()
    severity: Severity | None = None
    if letter := parts.get("letter"):
        severity = LETTERS[letter]
    elif level := parts.get("level"):
        severity = SEVERITY_OF.get(level.upper()) or LETTERS.get(level[0].upper())
    elif priority := parts.get("priority"):
        severity = severity_of_number(int(priority) % 8)
    attributes = {name: value for name in _NAMED if (value := parts.get(name)) and value != "-"}
    return Form(found.end(), severity, _time(parts.get("time")), attributes, "priority" in parts)


def _time(text: str | None) -> re.Match[str] | None:
    if not text:
        return None
    if text[4:5] == " ":  # klog
        return match_time(f"{text[:2]}-{text[2:]}")
    if text[6:7] == " ":  # Tornado
        return match_time(f"20{text[:2]}-{text[2:4]}-{text[4:]}")
    return match_time(text.replace("|", " "))


_KEYS = r"level|lvl|severity|loglevel|log_level|log\.level|levelname|severity_text|severityText|@l|@level"
_JSON_LEVEL = re.compile(
    rf"\"(?:{_KEYS})\"\s{{0,4}}:\s{{0,4}}(?:\"(?P<name>[A-Za-z]{{1,12}})\"|(?P<number>\d{{1,3}})(?!\d))"
)
_MONGO_LEVEL = re.compile(r"\"s\"\s{0,4}:\s{0,4}\"(?P<name>[FEWID])\d?\"(?P<number>)")
_JSON_TIME = re.compile(
    r"\"(?:@?timestamp|time|ts|@t|datetime|asctime|epochSecond|\$date)\"\s{0,4}:\s{0,4}\"?(?=[\dA-Z])"
)
_LOGFMT_START = re.compile(r"[\w.@-]{1,40}=")
_LOGFMT_LEVEL = re.compile(rf"(?:^|\s)(?:{_KEYS})=[\"']?(?P<name>\w{{1,12}})")
_LOGFMT_TIME = re.compile(r"(?:^|\s)(?:time|ts|t|timestamp|asctime)=[\"']?(?=[\dA-Z])")


def severity_of_fields(line: str, start: int) -> tuple[Severity | None, re.Match[str] | None]:
    """Return severity and time of a line that is one JSON object or logfmt from ``start`` on."""
    if line.startswith("{", start):
        return _from_json(line[start : start + _FIELDS_REACH])
    if not _LOGFMT_START.match(line, start):
        return None, None
    text = line[start : start + _FIELDS_REACH]
    level = _LOGFMT_LEVEL.search(text)
    time = _LOGFMT_TIME.search(text)
    return severity_of(level["name"]) if level else None, match_time(text, time.end()) if time else None


def _from_json(text: str) -> tuple[Severity | None, re.Match[str] | None]:
    level = (_MONGO_LEVEL if text.startswith('{"t":') else _JSON_LEVEL).search(text)
    time = _JSON_TIME.search(text)
    severity = None
    if level is not None and level["name"]:
        severity = severity_of(level["name"])
    elif level is not None:
        severity = severity_of_number(int(level["number"]))
    return severity, match_time(text, time.end()) if time else None
