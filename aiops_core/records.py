"""The nouns that travel through a pipeline: frozen records, nothing else.

Everything here is plain data. A record is never changed; ``replace`` makes the next one. Times are timezone-aware UTC.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from msgspec import Struct, field, structs

replace = structs.replace
"""Return the next record: ``replace(event, severity="critical")`` differs in that alone."""

Json: TypeAlias = Any  # JSON values: their shape belongs to whoever wrote them
Position: TypeAlias = Mapping[str, Json]
"""Where in a physical stream; opaque to the core, JSON to the store."""

Severity: TypeAlias = Literal["critical", "error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "error", "warning", "info")
SEVERITY_NAMES: Mapping[str, Severity] = {
    "critical": "critical",
    "emergency": "critical",
    "fatal": "critical",
    "alert": "critical",
    "panic": "critical",
    "error": "error",
    "high": "error",
    "warning": "warning",
    "warn": "warning",
    "medium": "warning",
    "info": "info",
    "low": "info",
    "notice": "info",
    "debug": "info",
}
"""What people write, to the severity it stands for."""


def parse_severity(name: str) -> Severity:
    """Return the severity a name or alias stands for; raise ValueError for an unknown one."""
    try:
        return SEVERITY_NAMES[name.strip().lower()]
    except KeyError:
        raise ValueError(f"unknown severity {name!r}: write one of {', '.join(SEVERITIES)}") from None


StopLevel: TypeAlias = Literal["analyse", "patch", "branch", "draft", "ready"]
"""How far a fix goes: proposed to nobody, tested and shown, pushed, opened as a draft, opened for review."""
STOP_LEVELS: tuple[StopLevel, ...] = get_args(StopLevel)
Question: TypeAlias = Literal[
    "outside-trace",
    "max-files",
    "max-lines",
    "new-capability",
    "delete",
    "rename",
    "new-dependency",
    "build-file",
    "container-file",
    "migration",
    "unauthenticated",
]
"""What a person is asked about before a fix is published."""
QUESTIONS: tuple[Question, ...] = get_args(Question)
ReportKind: TypeAlias = Literal["incident", "reminder", "escalating", "resolved", "digest", "fault"]
"""What a message is."""
IncidentState: TypeAlias = Literal["new", "ongoing", "escalating", "resolved", "regressed", "ignored"]

RELEASE_ATTRIBUTES: tuple[str, ...] = (
    "commit",
    "git_commit",
    "git.commit",
    "git.commit.sha",
    "git_sha",
    "sha",
    "revision",
    "vcs.revision",
    "vcs.ref.head.revision",
    "org.opencontainers.image.revision",
    "release",
    "version",
    "service.version",
    "app_version",
    "image",
    "image_tag",
    "container_image",
    "container.image.name",
    "container.image.tag",
    "build",
)
"""Attributes of an event that name the release it came from, the surest first."""


class LogBatch(Struct, frozen=True):
    """Bytes of one physical stream: whole lines, the last one too unless the stream ended.

    ``marks`` are ascending (byte offset in ``data``, Position) pairs, the first at 0, the last at
    ``len(data)``. When ``byte_counter`` names an integer of the Position that grows by one per
    byte, every byte is restartable, not only the marks. ``offset`` is the stream offset of
    ``data[0]``, and what people count too unless ``places`` are named: ascending (byte offset in
    ``data``, offset in the file) pairs of lines that were decoded. ``ended`` says that nothing will follow in this stream; with an
    empty Position as its last mark what is kept of the stream is forgotten.
    """

    stream: str
    data: bytes
    marks: tuple[tuple[int, Position], ...]
    offset: int = 0
    path: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    byte_counter: str = ""
    ended: bool = False
    read_at: datetime | None = None
    places: tuple[tuple[int, int], ...] = ()

    def position_at(self, byte: int) -> Position:
        """Return the nearest restartable position at or before ``data[byte]``."""
        index = bisect_right(self.marks, byte, key=lambda mark: mark[0]) - 1
        at, position = self.marks[max(index, 0)]
        if not self.byte_counter:
            return position
        return {**position, self.byte_counter: position[self.byte_counter] + byte - at}

    @property
    def end(self) -> Position:
        """The position after the last byte."""
        return self.marks[-1][1]


class Frame(Struct, frozen=True):
    """One call of a stack, as the log told it; ``line`` and ``column`` are 0 where unknown."""

    file: str = ""
    line: int = 0
    function: str = ""
    module: str = ""
    column: int = 0
    in_app: bool = True
    code: str = ""


class RaisedException(Struct, frozen=True):
    """One exception of an event.

    ``frames`` run from the outermost call to the place of the raise. ``link`` says how it hangs
    on ``exceptions[parent]``: ``raised`` (the one that surfaced, always at index 0, parent -1),
    ``cause``, ``context`` (raised while handling), ``suppressed`` or ``member`` (of a group).
    """

    type: str
    message: str = ""
    frames: tuple[Frame, ...] = ()
    link: Literal["raised", "cause", "context", "suppressed", "member"] = "raised"
    parent: int = -1


class Block(Struct, frozen=True):
    """The claimed lines of one candidate problem, unwrapped, its headline included.

    ``lines`` are what the detector's grammar claimed; ``headline`` is the logging line that
    introduced them ("" without one) and is not repeated in ``lines``. ``prefix`` is the envelope
    (time, level, logger) cut from the first line, ``raw`` every claimed line as it stood in the
    stream. ``truncated`` says that a size or time cap closed the block.
    """

    lines: tuple[str, ...]
    headline: str = ""
    prefix: str = ""
    raw: str = ""
    trigger: str = ""
    truncated: bool = False

    @property
    def first_line(self) -> str:
        """The line that holds the trigger's place in the grammar: the first claimed one."""
        return self.lines[0]

    @property
    def text(self) -> str:
        """The claimed lines as one text, without the headline."""
        return "\n".join(self.lines)


class Event(Struct, frozen=True):
    """One detected problem.

    A detector fills ``type``, ``message`` and what else it knows; the host fills what is empty:
    language and detector, severity, times, place, block, context, fingerprint and key.
    ``exceptions[0]`` is the one that surfaced. ``start`` and ``end`` are stream offsets of the
    claimed raw lines, context excluded. ``status`` ``resolved`` ends an incident that another
    system opened; ``position`` is only set on events a source yields ready-made. ``unauthenticated``
    says that nobody checked who sent it: the host sets it where the source does not check.
    """

    type: str
    message: str = ""
    severity: Severity | None = None
    language: str = ""
    exceptions: tuple[RaisedException, ...] = ()
    occurred_at: datetime | None = None
    read_at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    detector: str = ""
    path: str = ""
    stream: str = ""
    start: int = 0
    end: int = 0
    headline: str = ""
    block: str = ""
    context_before: tuple[str, ...] = ()
    context_after: tuple[str, ...] = ()
    truncated: bool = False
    fingerprint: str = ""
    key: str = ""
    status: Literal["firing", "resolved"] = "firing"
    position: Position | None = None
    unauthenticated: bool = False

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames of the exception that surfaced."""
        return self.exceptions[0].frames if self.exceptions else ()

    @property
    def own_frames(self) -> tuple[Frame, ...]:
        """The frames of own code of the exception that surfaced; where it passed none, of the first behind it that did."""
        owned = (tuple(frame for frame in raised.frames if frame.in_app) for raised in self.exceptions)
        return next(filter(None, owned), ())


Signal: TypeAlias = LogBatch | Event


class Incident(Struct, frozen=True):
    """All events with one fingerprint in one pipeline: exact count, state, a few stored events."""

    id: int
    pipeline: str
    fingerprint: str
    title: str
    type: str
    message: str
    language: str
    severity: Severity
    state: IncidentState
    count: int
    first_seen: datetime
    last_seen: datetime
    events: tuple[Event, ...] = ()

    @property
    def event(self) -> Event:
        """The first stored event: what evidence and reports speak of."""
        return self.events[0]


class Evidence(Struct, frozen=True):
    """What an analysis may cite, under its ``id`` (E1, E2 …).

    ``path`` and ``line`` are of the repository where they apply.
    """

    kind: Literal["source", "blame", "commit", "log", "incident", "metric", "refusal", "review", "note"]
    title: str
    text: str
    id: str = ""
    path: str = ""
    line: int = 0


class Edit(Struct, frozen=True):
    """One change of one file, as somebody proposes it.

    ``replace``: ``search`` must occur exactly once in ``path`` and becomes ``replace``.
    ``create``: ``path`` must not exist; ``replace`` is its content. ``delete`` removes ``path``.
    ``rename`` moves ``path`` to ``to``. ``mode`` is the git mode of what stands at ``path`` after, ""
    for that of before, or of a plain file.
    """

    kind: Literal["replace", "create", "delete", "rename"]
    path: str
    search: str = ""
    replace: str = ""
    to: str = ""
    mode: str = ""


class CodeSample(Struct, frozen=True):
    """A piece of code an analysis shows to people; never applied."""

    title: str
    code: str
    language: str = ""


class Usage(Struct, frozen=True):
    """What one analysis took; ``cost`` in US dollars, None where the price is unknown."""

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost: float | None = None


class Analysis(Struct, frozen=True):
    """What an analyzer found out; ``confidence`` 0–1, ``edits`` one proposed set or nothing.

    ``provable`` False says: not provable from this data. ``cited`` holds evidence ids.
    """

    title: str
    summary: str
    root_cause: str
    repair_steps: tuple[str, ...] = ()
    code_samples: tuple[CodeSample, ...] = ()
    prevention: tuple[str, ...] = ()
    cited: tuple[str, ...] = ()
    confidence: float = 0.0
    provable: bool = True
    edits: tuple[Edit, ...] = ()
    analyzer: str = ""
    usage: Usage | None = None

    @property
    def is_answered(self) -> bool:
        """Whether an analyzer wrote it; else it carries the raw error only."""
        return self.analyzer != "none"


class TestRun(Struct, frozen=True):
    """One run of the repository's test command; ``failed`` names tests where they are known."""

    __test__: ClassVar[bool] = False  # not a test class for pytest

    command: str
    exit_code: int
    seconds: float
    output: str = ""
    tests: int | None = None
    failed: tuple[str, ...] = ()
    timed_out: bool = False
    sandbox: str = "none"

    @property
    def passed(self) -> bool:
        """Whether the command ended by itself with exit code 0."""
        return self.exit_code == 0 and not self.timed_out


class ChangedFile(Struct, frozen=True):
    """One file of a Change: its whole new content, or None when it is removed."""

    path: str
    content: bytes | None
    mode: str = "100644"


class Change(Struct, frozen=True):
    """An edit set that passed policy and verification: the product of the repair step.

    ``may_reach`` is how far it may be taken: ``draft`` is never opened as ready for review.
    ``reproduced_by`` names the tests that fail without it as the error did, and pass with it.
    ``onto`` is the fix branch it is a further commit of, "" for a fix that gets a branch of its own.
    ``asks`` says what a person must allow before it is published: a question, and why it arises.
    ``run`` is the run that made it, 0 where none did, and ``made_at`` when: the date of its commit.
    """

    base_commit: str
    base_branch: str
    files: tuple[ChangedFile, ...]
    diff: str
    before: TestRun | None = None
    after: TestRun | None = None
    notes: tuple[str, ...] = ()
    may_reach: StopLevel = "ready"
    reproduced_by: tuple[str, ...] = ()
    onto: str = ""
    asks: tuple[tuple[Question, str], ...] = ()
    run: int = 0
    made_at: datetime | None = None

    @property
    def is_verified(self) -> bool:
        """Whether tests ran on the patched tree and nothing newly failed."""
        return self.after is not None


class Plan(Struct, frozen=True):
    """What an action is about to do; approvals are bound to ``hash``."""

    title: str
    text: str
    data: Mapping[str, Json] = field(default_factory=dict)
    action: str = ""

    @property
    def hash(self) -> str:
        """Identity of exactly this plan."""
        body = json.dumps([self.action, self.title, self.text, self.data], sort_keys=True)
        return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()


class Outcome(Struct, frozen=True):
    """What an action did. ``final`` False asks the host to call ``follow`` later."""

    status: Literal["done", "refused", "failed"]
    summary: str
    url: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)
    action: str = ""
    final: bool = True


class Remark(Struct, frozen=True):
    """What somebody said on an open request, as it stood when it was first heard.

    ``path`` and ``line`` are of the request's branch, where it stands in the changes.
    """

    id: str
    author: str
    text: str
    at: datetime
    thread: str = ""
    path: str = ""
    line: int = 0
    url: str = ""


class Review(Struct, frozen=True):
    """What people ask of an open request, for a run to answer: see ``action``'s request ``number``."""

    action: str
    number: int
    branch: str
    request: str
    """Address of the request."""
    remarks: tuple[Remark, ...]
    is_unverified: bool = False
    """Whether the request is marked as one that no test proves."""


class Decision(Struct, frozen=True):
    """Why something was or was not done, and the setting that would change it."""

    rule: str
    text: str
    setting: str = ""
    at: datetime | None = None


class Report(Struct, frozen=True):
    """What one message says. ``key`` is stable over retries: receivers may drop repeats by it.

    ``kind`` ``incident`` is the full report of an incident; ``reminder``, ``escalating`` and
    ``resolved`` are short news of one told before. ``fault`` speaks of a failure of the pipeline
    itself, ``digest`` of several messages, its ``parts``: then ``incident`` is None. ``owners`` are
    those of the code, where a route asks for them. ``part_of`` is the incident that this one is part
    of in a storm. ``new_with`` names the release an incident came up with, ``new_after`` the one whose errors
    came before it; "" where that is not known.
    """

    key: str
    kind: ReportKind
    pipeline: str
    title: str
    text: str = ""
    severity: Severity = "error"
    incident: Incident | None = None
    analysis: Analysis | None = None
    evidence: tuple[Evidence, ...] = ()
    """What the analysis cites."""
    change: Change | None = None
    plans: tuple[Plan, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    decisions: tuple[Decision, ...] = ()
    created_at: datetime | None = None
    language: Literal["en", "zh"] = "en"
    owners: tuple[str, ...] = ()
    parts: tuple[Report, ...] = ()
    part_of: int | None = None
    new_with: str = ""
    new_after: str = ""


class RecipientResult(Struct, frozen=True):
    """Whether one recipient of a delivery was served, and what the provider said."""

    recipient: str
    accepted: bool
    detail: str = ""


class Receipt(Struct, frozen=True):
    """What a notifier got back: provider ids and per-recipient results."""

    ids: tuple[str, ...] = ()
    recipients: tuple[RecipientResult, ...] = ()
