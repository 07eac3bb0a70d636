"""Walk over the tokens at the start of a log line.

A token is *sure* when only an envelope has it (a time, a level, a bracketed id, a logger with its
separator) and *unsure* when it may be the first word of the message; unsure tokens count only when
a sure one follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from aiops_core.records import Severity
from aiops_core.text.containers import container_of
from aiops_core.text.envelope_forms import match_form
from aiops_core.text.levels import LETTERS, LEVEL_WORDS, SEVERITY_OF, severity_of, severity_of_number
from aiops_core.text.timestamps import match_time, read_moment

_MOST_TOKENS = 14
_MOST_WORDS = 3

_LEVEL = re.compile(rf"(?P<level>{LEVEL_WORDS})(?=[\s:|\],>]|$)(?! {{0,40}}= )")
"""A level, unless something is assigned to it: that is a constant in source code."""
_SOFT_LEVEL = re.compile(
    r"(?P<level>(?:error|err|fatal|critical|crit|severe|alert|emerg|warning|warn|notice|info|debug|trace)"
    r"(?=[:|,]\s|\t|  |\s\||\s-\s|\s[\w.-]+\s:\s)"
    r"|(?:Error|Fatal|Critical|Warning|Notice|Info|Debug|Trace)(?=[|,]\s|\t|  |\s\||\s-\s))"
)
"""A level in small letters, told from prose by what follows; ``Error:`` is a type as often as a level."""
_SOFT_STARTS = frozenset("efcsawnidtEFCWNIDTP")
_TITLED_LEVEL = re.compile(r"(?P<level>Error|Fatal|Critical|Panic|Alert|Warning|Notice|Info|Debug): ")
"""What a service writes after its name: elsewhere such a word is a type."""
_ENCLOSED_LEVEL = re.compile(
    rf"<({LEVEL_WORDS})>|\(({LEVEL_WORDS})\)(?=[\s:])|\{{({LEVEL_WORDS})\}}(?=[\s:])",
    re.IGNORECASE,
)
_ANGLED_ID = re.compile(r"<\d+\.\d+\.\d+>(?=\s)")
"""A process of Erlang's."""
_COMPONENT = re.compile(r"(?P<letter>[FEWIDV]) +[A-Z_-]+ +(?=\[)")
"""Level and component as MongoDB wrote them up to 4.2."""
_PID = re.compile(r"\((?:[\w.-]+/)?(?P<pid>\d{1,8})(?: on [\w.-]+)?\) ?:")
_CODE = re.compile(r"(?:\w*[Ee]rr(?:no|or)?|SQLSTATE)\W?-?\d")
_PHP = re.compile(r"PHP (?:\w+ )?(?P<level>error|[Ww]arning|Notice|Deprecated):\s+")
_RUNTIME_WORDS = re.compile(r"(?:FATAL (?:EXCEPTION|ERROR)|ERROR: \w+Sanitizer|WARNING: DATA RACE)\b")
"""Headlines of crash reports: the level is part of the message."""
_PRIORITY = re.compile(r"<(\d{1,3})>")
_UNTIMED = re.compile(
    r"(?P<service>[^\s:\[\]<>]{1,128}(?=\[)|[a-z][a-z\d_./-]{0,127}(?=:))(?:\[(?P<pid>[^\]\s]{1,64})\])?: "
)
"""The program behind the priority of what is sent without a time; in capitals it may be a type."""
_CODE_OF_DEVICE = r"%[A-Z][\w-]{0,60}-(?P<digit>[0-7])-\w{1,60}: ?"
_MONTH_TIME = r"(?:\d{4} )?[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,6})?"
_DEVICE = re.compile(
    rf"(?:(?P<received>{_MONTH_TIME}|\d{{4}}-\d\d-\d\dT[\d:.]{{8,18}}(?:Z|[+-]\d\d:\d\d)) (?P<relay>[\w.:-]{{1,255}}) )?"
    rf"(?:\d{{1,10}}: )?(?:(?P<origin>[A-Za-z][\w.-]{{0,254}}): )?[*.:]{{0,2}}(?P<time>{_MONTH_TIME})?"
    rf"(?(time)(?: [A-Z]{{2,5}}(?=:))?(?: (?P<host>[\w.-]{{1,255}}) ?)?|[\dwdhmy:.]{{0,30}})(?:: )?(?={_CODE_OF_DEVICE})"
)
"""What stands before the code of a router, switch or firewall: who passed it on, a number, a name, a time."""
_BRACKET = re.compile(r"\[([^\[\]]{0,100}(?:\[[^\[\]]{0,60}\][^\[\]]{0,80})?)\](?=[\s:\[]|$)")
_WIDE = re.compile(r"【([^【】]{1,60})】[:：]?")
_ID = re.compile(r"[^\s\"',]{1,100}$|(?:pid|tid|client|thread|worker) \S|\w[\w .:#/|-]{0,60}$")
_WRITER = re.compile(r"(?:pid|tid|process|thread|worker)(?:[:=] ?| )\w{1,20}$")
_LEVEL_INSIDE = re.compile(rf"(?:^|[\s:./])({LEVEL_WORDS})(?=$|[\s:/])")
_SOFT_INSIDE = re.compile(rf"(?:[\w.-]+:)?({LEVEL_WORDS})$", re.IGNORECASE)
_TAG = re.compile(
    rf" (?!(?:{LEVEL_WORDS}) )([\w.:-]*[\w.-]) (?:([^\[\]:]{{1,60}})\[(\d+)\]|([\w./()-]{{1,60}})): ?"
)
_LOCAL_TAG = re.compile(r" ([^\s:\[\]]{1,128})(?:\[(\d+)\])?: ?")
"""A tag without a host before it, as in what is not sent on."""
_ISO_TAG = re.compile(rf" (?!(?:{LEVEL_WORDS}) )([\w.-]+) ([\w./()-]{{1,60}})\[(\d+)\]: ?")
_NGINX_IDS = re.compile(r"(?P<pid>\d+)#\d+: (?:\*\d+ )?")
_PLACE = re.compile(r"[\w./+-]+\.\w+:\d+(?:: ?|(?=[ \t]))(?!in [`']|.{1,400}: Assertion [`'‘])")
"""Where in the code a line was logged; a place where something was raised is of the message."""
_PAIRS = re.compile(
    rf"(?:[a-z_]{{1,20}}=[^\s\"'=,]{{1,64}} ){{1,8}}(?=(?:{LEVEL_WORDS})[:\s]|\[(?i:{LEVEL_WORDS})\])"
)
"""What Sidekiq and Elixir's logger write of the surroundings, before the level."""
_MARKED = re.compile(r"[\w.-]{1,60}[=!\[]")
"""How all begins that a level may stand behind, or be marked by: what has no such sign is passed over at once."""
_OF_PROCESS = re.compile(r"\bpid=(\d+)")
_REQUEST = re.compile(r"[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\t")
"""What Lambda writes of the request."""
_POOLED = re.compile(r"\((?P<thread>[\w .:#-]{0,60}[A-Za-z][\w .:#-]{0,60})\) (?=\S)")
"""The thread as JBoss and Quarkus write it, behind the logger."""
_NUMBERED = re.compile(r"\((?P<thread>[\da-f]{8,16})\) :(?=\s)")
"""The number of the thread behind a logger, before the level."""
_ANNOTATED = re.compile(r"##\[(?P<level>error|warning)\]")
"""A level as the runners of GitHub and Azure write it."""
_BANGED = re.compile(r"(?P<letter>[EWID])! ")
"""A level as Telegraf writes it."""
_GLUED_LEVEL = re.compile(rf"(?P<logger>[\w.-]{{1,60}})\[(?P<level>{LEVEL_WORDS})\]: ")
"""A level as cloud-init writes it, behind the name of a module."""
_PROGRAM = re.compile(r"(?P<service>[a-z][\w.-]{0,62})\[(?P<pid>\d{1,8})\]:(?=\s)")
_BRACED = re.compile(r"\{{1,2}(?:[\w./-]+:\d+|[\w-]{0,64})\}{1,2}(?=\s)")
_NAME = re.compile(r"[A-Za-z_][\w.$/@#+*-]*(?:::\w+)*(?:\[\d+\])?(?::\d+)?(?=[\s:|]|$)")
_LOGGER = re.compile(r"[\w$-]+(?:(?:\.|::|/)[\w$-]+)+$|\w*[_$-]\w+$")
_DOTTED = re.compile(r"[\w$]+(?:\.[\w$]+){2,}$")
_TYPE = re.compile(r"(?:Error|Exception|Throwable|Failure|Fault|Warning|Interrupt|Exit)$")
_PLAIN = re.compile(r"[A-Za-z]?[a-z]+$")
_PROSE = re.compile(r"[A-Z][a-z]+$")
_LOGURU = re.compile(r"(?P<logger>[\w.]+):[\w.<>]+:\d+ - ")
_WORD = re.compile(r"[^ \t|]+")
_SEPARATOR = re.compile(r"(?:-{1,4}|[|:>#])(?=\s|$)|\|")
_GAP = re.compile(r"[ \t]*")


class Scan:
    """Walk over the tokens at the start of one line."""

    def __init__(self, line: str, now: datetime | None, *, is_container: re.Match[str] | None = None) -> None:
        self.line = line
        self.now = now
        self.at = 0
        self.sure = 0
        self.severity: Severity | None = None
        self.priority: Severity | None = None
        self.time: datetime | None = None
        self.times = 0
        self.attributes: dict[str, str] = {}
        self.plain_after_level = False
        self._words: list[str] = []
        self._kind = ""
        self._container = is_container or container_of(line)

    @property
    def is_done(self) -> bool:
        """Whether everything was envelope-like."""
        return self.at >= len(self.line.rstrip())

    def run(self) -> None:
        """Take tokens until one is no part of an envelope."""
        self._carrier()
        for _ in range(_MOST_TOKENS):
            self.at = _end_of_gap(self.line, self.at)
            first = self.line[self.at : self.at + 1]
            if not first or self._is_indented() or self._form() or not self._token(first):
                return

    def _is_indented(self) -> bool:
        """Tell whether what comes is a message, indented behind the sign that ends an envelope."""
        before = self.line[: self.at].rstrip(" ")
        return self.severity is not None and self.at - len(before) > 1 and before.endswith(("-", ":"))

    def _carrier(self) -> None:
        if found := self._container:
            self.attributes |= {name: value for name, value in found.groupdict().items() if value}
            if (time := self.attributes.pop("time", "")) and (told := match_time(time)):
                self._note_time(told)
            self._take(found.end())
        if (found := _PRIORITY.match(self.line, self.at)) and int(found[1]) < 192:
            self.priority = severity_of_number(int(found[1]) % 8)
            self._take(found.end())
        if "%" in self.line and (device := _DEVICE.match(self.line, self.at)):
            self._of_device(device)
        elif found and int(found[1]) > 7 and (untimed := _UNTIMED.match(self.line, self.at)):
            self.attributes |= {name: value for name, value in untimed.groupdict().items() if value}
            self._take(untimed.end())  # below 8 the kernel speaks

    def _of_device(self, found: re.Match[str]) -> None:
        """Take all before the code of a device, and the level it tells; the code is of the message."""
        told = {name: value for name, value in found.groupdict().items() if value}
        for name in ("time", "received"):
            if time := match_time(told.get(name, "")):
                self._note_time(time)
        if host := told.get("origin") or told.get("host") or told.get("relay"):
            self.attributes["host"] = host
        self.severity = severity_of_number(int(found["digit"]))
        self._take(found.end())

    def _form(self) -> bool:
        """Take the envelope a program wrote behind that of its container or carrier."""
        is_behind = 0 < self.at == self.sure and self.severity is None
        form = match_form(self.line[self.at :]) if is_behind else None
        if form is None:
            return False
        if form.time is not None:
            self._note_time(form.time)
        self.severity = form.severity
        self.attributes |= form.attributes
        self._take(self.at + form.length)
        return True

    def _token(self, first: str) -> bool:
        if (take := self._TAKE.get(first)) is not None:
            return take(self)
        if self.times < 3 and self._time():
            return True
        if (
            self.times
            and self.line.startswith("-", self.at + 8)
            and (found := _REQUEST.match(self.line, self.at))
        ):
            self._take(found.end())
            return True
        if first.isdigit():
            return self._number()
        if self.severity is None and self._level():
            return True
        return (first.isalpha() or first == "_") and (
            self._behind_time() or self._behind_level() or self._name()
        )

    def _take(self, end: int) -> None:
        """Count everything up to ``end`` as envelope, with the space after it."""
        self.at = self.sure = _end_of_gap(self.line, end)
        self._words.clear()
        self._kind = ""

    def _time(self) -> bool:
        found = match_time(self.line, self.at)
        if found is None or self.line[found.end() : found.end() + 1].isalnum() or self._is_of_message(found):
            return False
        self._note_time(found)
        self._take(found.end())
        if self.line.startswith((":", ","), self.at):
            self._take(self.at + 1)
        tag = _TAG if "name" in found.re.groupindex else _ISO_TAG
        if tagged := tag.match(self.line, found.end()):
            self._tag(tagged)
        elif self.priority is not None and (local := _LOCAL_TAG.match(self.line, found.end())):
            self._local_tag(local)
        return True

    def _is_of_message(self, found: re.Match[str]) -> bool:
        """Tell whether a clock without a date stands among words, behind the time and the level of the line."""
        is_behind = self.times > 0 and self.severity is not None and bool(self._words)
        return is_behind and "day" not in found.re.groupindex and "hour" in found.re.groupindex

    def _note_time(self, found: re.Match[str]) -> None:
        self.times += 1
        if self.time is None and self.now is not None:
            self.time = read_moment(found, self.now)

    def _tag(self, tagged: re.Match[str]) -> None:
        host, service, pid, *rest = tagged.groups()
        self.attributes["host"] = host
        self.attributes["service"] = service or rest[0]
        if pid:
            self.attributes["pid"] = pid
        self._take(tagged.end())

    def _local_tag(self, tagged: re.Match[str]) -> None:
        service, pid = tagged.groups()
        if pid:
            self.attributes["pid"] = pid
        elif _TYPE.search(service):
            return
        self.attributes["service"] = service
        self._take(tagged.end())

    def _level(self) -> bool:
        if self._words and (not self.sure or _PROSE.match(self._words[-1])):
            return False
        found = _LEVEL.match(self.line, self.at)
        if found is None and self.times and self.line[self.at] in _SOFT_STARTS:
            found = _SOFT_LEVEL.match(self.line, self.at) or _PHP.match(self.line, self.at) or self._titled()
        if found is None and self.times and (found := _COMPONENT.match(self.line, self.at)):
            self.severity = LETTERS[found["letter"]]
            self._take(found.end())
            return True
        if found is None:
            return False
        self.severity = SEVERITY_OF.get(found["level"].upper(), "info")
        if _RUNTIME_WORDS.match(self.line, self.at):
            self.sure = self.at if self.sure else 0
            return False
        if self._words:
            name = self._words[-1]
            is_logger = self._kind == "logger" or "." in name or "::" in name
            self.attributes.setdefault("logger" if is_logger else "service", name)
        self._take(found.end())
        if self.line.startswith((":", ",", "|"), found.end()):
            self._take(found.end() + 1)
        return True

    def _behind_time(self) -> bool:
        """Take pairs that a level follows, or a level in a form that only a time makes sure."""
        if not self.times or self.severity is not None or not _MARKED.match(self.line, self.at):
            return False
        if found := _PAIRS.match(self.line, self.at):
            if pid := _OF_PROCESS.search(found[0]):
                self.attributes["pid"] = pid[1]
        elif found := _BANGED.match(self.line, self.at):
            self.severity = LETTERS[found["letter"]]
        elif found := _GLUED_LEVEL.match(self.line, self.at):
            self.severity = severity_of(found["level"])
            self.attributes["logger"] = found["logger"]
        if found is not None:
            self._take(found.end())
        return found is not None

    def _behind_level(self) -> bool:
        """Take the program and its process behind a time and a level."""
        found = _PROGRAM.match(self.line, self.at) if self.times and self.severity is not None else None
        if found is None or self._words:
            return False
        for name, value in found.groupdict().items():
            self.attributes.setdefault(name, value)
        self._take(found.end())
        return True

    def _titled(self) -> re.Match[str] | None:
        """Match a level behind the name of a service."""
        is_behind_name = self.sure == self.at and self.line[: self.at].rstrip().endswith(":")
        return _TITLED_LEVEL.match(self.line, self.at) if is_behind_name else None

    def _angled(self) -> bool:
        """Take a level or a process in angle brackets."""
        if not self.times:
            return False
        if self._enclosed():
            return True
        found = _ANGLED_ID.match(self.line, self.at)
        if found is not None:
            self._take(found.end())
        return found is not None

    def _enclosed(self) -> bool:
        """Take a level in brackets of any kind, behind a time."""
        is_wanted = self.times and self.severity is None
        found = _ENCLOSED_LEVEL.match(self.line, self.at) if is_wanted else None
        if found is None:
            return False
        self.severity = severity_of(found[found.lastindex or 0])
        self._take(found.end())
        return True

    def _process(self) -> bool:
        """Take the number of the process behind a level, or the thread behind a logger."""
        if self._enclosed():
            return True
        is_behind_logger = self.severity is not None and self.line[: self.at].endswith("] ")
        found = _PID.match(self.line, self.at) if self.severity else None
        if found is None and is_behind_logger:
            found = _POOLED.match(self.line, self.at)
        if found is None and self.times and self.severity is None:
            found = _NUMBERED.match(self.line, self.at)
        if found is None:
            return False
        for name, value in found.groupdict().items():
            self.attributes.setdefault(name, value)
        self._take(found.end())
        return True

    def _bracket(self) -> bool:
        found = _BRACKET.match(self.line, self.at)
        if found is None:
            return False
        content = found[1].strip()
        is_empty = not content and self.severity is not None  # Flink's layout has a context that is
        if not (is_empty or self._inside(content)):
            if (
                not _ID.match(content)
                or _CODE.match(content)
                or (" " in content and not (self.times or self.severity or _WRITER.match(content)))
            ):
                return False
            if self.line[found.end() : found.end() + 1] == ":" and not (self.times or content[-1].isdigit()):
                return False
            self._identify(content)
        self._take(found.end())
        if self.line.startswith(":", found.end()):
            self._take(found.end() + 1)
        return True

    def _wide(self) -> bool:
        """Take a time or a level, or a name behind one, in the brackets of Chinese and Japanese."""
        found = _WIDE.match(self.line, self.at)
        content = found[1].strip() if found else ""
        if found is None or self.sure < self.at or not (self._inside(content) or self.times):
            return False
        self._take(found.end())
        return True

    def _braced(self) -> bool:
        """Take Airflow's place of a logging call, or ClickHouse's number of a query."""
        if self._enclosed():
            return True
        found = _BRACED.match(self.line, self.at) if self.times else None
        if found is None:
            return False
        self._take(found.end())
        return True

    def _inside(self, content: str) -> bool:
        """Read the time or level a bracket holds."""
        time = match_time(content)
        if time is not None:
            self._note_time(time)
            content = content[time.end() :]
        if self.times and self.severity is None and len(content) == 1 and content in LETTERS:
            self.severity = LETTERS[content]
            return True
        level = _LEVEL_INSIDE.search(content) or (_SOFT_INSIDE.match(content) if time is None else None)
        if level is not None and self.severity is None:
            self.severity = severity_of(level[1])
            return True
        return time is not None

    def _identify(self, content: str) -> None:
        if content.isdecimal():
            self.attributes.setdefault("pid", content)
        elif content.startswith("pid "):
            self.attributes.setdefault("pid", content[4:].partition(":")[0])
        elif (self.times or self.severity) and not content.startswith(("client ", "req-")):
            self.attributes.setdefault("thread", content)

    def _separator(self) -> bool:
        found = _SEPARATOR.match(self.line, self.at)
        if found is None:
            return False
        if self._words and self.severity and len(self._words) == 1:
            self.attributes.setdefault("logger", self._words[0])
            self._take(found.end())
        elif self.sure == self.at and not self._words and self.at:
            self._take(found.end())
        elif not self._words and not self.sure and (self.line[self.at] != "-" or found[0] == "-"):
            return False  # one dash begins an item of a list
        else:
            self.at = found.end()
            self._kind = "logger"
        return True

    def _hash(self) -> bool:
        found = _ANNOTATED.match(self.line, self.at) if self.severity is None else None
        if found is None:
            return self._separator()
        self.severity = severity_of(found["level"])
        self._take(found.end())
        return True

    def _number(self) -> bool:
        if not self.sure:
            return self._word()
        if found := _NGINX_IDS.match(self.line, self.at):
            self.attributes["pid"] = found["pid"]
            self._take(found.end())
            return True
        end = self.at
        while self.line[end : end + 1].isdigit():
            end += 1
        if self.line[end : end + 1] not in {" ", "\t", "#", ":", ""} or end - self.at > 10:
            return self._word()
        self.at = end + 1
        return True

    def _name(self) -> bool:
        if self.times and (place := _PLACE.match(self.line, self.at)):
            self._take(place.end())
            return True
        if self.severity and (place := _LOGURU.match(self.line, self.at)):
            self.attributes["logger"] = place["logger"]
            self._take(place.end())
            return True
        found = _NAME.match(self.line, self.at)
        if found is None:
            return self._word()
        name, follows = found[0], self.line[found.end() : found.end() + 2]
        if follows[:1] == ":":
            return self._named(name, found.end(), follows)
        if self.severity and _DOTTED.match(name) and not _TYPE.search(name):
            self.attributes.setdefault("logger", name)
            self._take(found.end())
            return True
        return self._word()

    def _named(self, name: str, end: int, follows: str) -> bool:
        """Take a logger with its colon, where it looks like one."""
        if self.severity is None and (level := SEVERITY_OF.get(name.rpartition(".")[2])):
            self.severity = level  # channel.LEVEL of Monolog
        is_glued = self.severity is not None and self.line[self.at - 1] == ":"
        if not is_glued and follows[1:] not in {"", " "}:
            return self._word()
        is_before_level = follows == ": " and self.times > 0 and _SOFT_LEVEL.match(self.line, end + 2)
        is_logger = (
            follows in {": ", ":"} and 0 < self.sure == self.at and (is_before_level or _LOGGER.match(name))
        )
        if _TYPE.search(name) or not (is_glued or is_logger):
            if end + 1 >= len(self.line.rstrip()) and self.sure:
                self.at = end + 1  # nothing follows: for a prefix this is a name, not prose
            return False
        self.attributes.setdefault("logger", name)
        self._take(end + 1)
        return True

    def _word(self) -> bool:
        """Step over one token that may be part of the envelope or the start of the message."""
        found = _WORD.match(self.line, self.at)
        if found is None or len(self._words) >= _MOST_WORDS or found[0][-1] in ".,;!?)'\"":
            return False
        if self.severity and "[" in found[0]:
            return False  # a code, as in SQLSTATE[HY000], is of the message
        is_plain = _PLAIN.match(found[0]) is not None
        if is_plain and (not self.sure or any(map(_PLAIN.match, self._words))):
            return False
        if not self.sure and self._words:
            return False
        self._words.append(found[0])
        self.plain_after_level |= is_plain and self.severity is not None
        self.at = found.end()
        return True

    _TAKE: ClassVar[Mapping[str, Callable[[Scan], bool]]] = {
        "[": _bracket,
        "{": _braced,
        "<": _angled,
        "(": _process,
        "【": _wide,
        "#": _hash,
        **dict.fromkeys("-|:>", _separator),
    }
    """What to take by the character a token begins with."""


def _end_of_gap(line: str, at: int) -> int:
    found = _GAP.match(line, at)
    return found.end() if found else at
