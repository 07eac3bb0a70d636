"""Recognise what a runtime or a viewer of logs wrote before each line of a program."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CONTAINER = re.compile(
    r"(?:\d{1,3}\|(?=[A-Za-z])|(?=[\w./@-]{1,64}?[-_.]\d{1,5}(?:\.[a-z\d]{10,25}@[\w.-]{1,64})? *\|)"
    r"|(?=[A-Za-z][\w.-]{0,63} {2,40}\| (?![^|]{0,200} \| )))"
    r"(?P<service>[\w./@-]{1,64}?) *\| ?"
)
ANY_CONTAINER = re.compile(
    r"(?:\d{1,3}\|)?[\w./@-]{1,64} *\| ?|(?:[+-] )?[a-z\d][a-z\d.-]{0,200}-\d{1,2} (?:› )?[a-z\d-]{1,63} $"
)
_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""The letters of the names that Kubernetes makes up."""
_POD = re.compile(
    rf"(?:[+-] )?(?P<service>[a-z\d][a-z\d.-]{{0,200}}-"
    rf"(?:{_RANDOM}{{6,10}}-{_RANDOM}{{5}}|(?=[a-z]{{0,4}}\d){_RANDOM}{{5}}|\d{{1,2}}(?= \S+ [\d\[{{])))"
    r" (?:› )?(?P<thread>[a-z\d][a-z\d-]{0,62}) "
)
"""What stern writes before each line: the pod and its container."""
_PREFIXED_POD = re.compile(r"\[pod/(?P<service>[^/\]\s]{1,253})/(?P<thread>[^/\]\s]{1,63})\] ")
"""What ``kubectl logs --prefix`` writes."""
_FOREMAN = re.compile(r"\d\d:\d\d:\d\d (?P<service>[\w-]{1,60})\.(?P<thread>\d{1,4}) {1,20}\| ")
_DYNO = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}\+00:00) (?P<service>[\w-]{1,60})\[(?P<thread>[A-Za-z][\w.-]{0,60})\]: "
)
"""What Heroku writes before the lines of a process."""
_ACTOR = re.compile(r"\((?P<service>[\w.:()-]{1,80}) pid=(?P<thread>\d+(?:, ip=[\d.]+)?)\) ")
"""What Ray puts before the lines of its workers."""
_TIMED_ACTOR = re.compile(rf"(?P<time>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{{1,9}})?Z) {_ACTOR.pattern}")
"""The same behind the time that ``kubectl logs --timestamps`` writes."""
_JOB = re.compile(r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) \d\d[OE][ +]")
"""What GitLab's runner writes: the time, the number of the stream, whether a line goes on."""
_LABELLED = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) "
    r"(?P<labels>\{(?:[a-zA-Z_]\w*=\"(?:[^\"\\]|\\.)*\"(?:, ?|(?=\})))*\}) "
)
"""What logcli writes: the time, and the labels of the stream."""
_RANK = re.compile(
    r"\[(?P<thread>\d{1,6},\d{1,6})\]<std(?:out|err)>: ?|\[(?P<worker>[a-z]{1,20}\d{1,6})\]: ?"
)
"""What mpirun and torchrun write before the lines of their processes."""
_STEP = re.compile(r"#(?P<thread>\d{1,4}) \d{1,6}\.\d{1,3} ")
"""What docker's builder writes: the step, and the seconds since it began."""
_RESOURCE = re.compile(r" {0,40}(?P<service>[A-Za-z][\w.:-]{0,59}) │ ?")
"""What tilt writes."""
_BUILD = re.compile(r"\[\d\d:\d\d:\d\d\][A-Za-z]?:\s{1,4}\[(?P<service>[^\]]{1,80})\] ?")
"""What TeamCity writes before the lines of a step."""
_FETCHED = re.compile(
    r"(?P<service>[^\t]{1,100})\t(?P<thread>[^\t]{1,100})\t(?:\ufeff)?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z) "
)
"""What ``gh run view --log`` writes: the job, the step, the time."""
_TAI = re.compile(r"@[0-9a-f]{24} ")
"""The time as multilog and s6-log write it."""
_PROCESS = re.compile(r"(?P<service>[a-z][\w.@-]{0,62})\[(?P<pid>\d{1,8})\]: ")
_BY_FIRST: Mapping[str, tuple[re.Pattern[str], ...]] = {
    "[": (_PREFIXED_POD, _RANK, _BUILD),
    "(": (_ACTOR,),
    "#": (_STEP,),
    "@": (_TAI,),
    **dict.fromkeys("0123456789", (_DYNO, _FOREMAN, _JOB, _LABELLED, _TIMED_ACTOR)),
}


def container_of(line: str) -> re.Match[str] | None:
    """Return what compose, pm2, stern, kubectl, a builder, a CI runner or the like wrote before a line."""
    for pattern in _BY_FIRST.get(line[:1], ()):
        if (found := pattern.match(line)) is not None:
            return found
    if "\t" in line[:100] and (found := _FETCHED.match(line)) is not None:
        return found
    if "│" in line[:80] and (found := _RESOURCE.match(line)) is not None:
        return found
    if "|" in line[:80] and (found := _CONTAINER.match(line)) is not None:
        return found
    return _POD.match(line) or _PROCESS.match(line)
