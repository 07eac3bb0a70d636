"""What people write: the models of the pipeline file's own keys, each field documented.

The docstring under a field is its documentation, here and in every plugin.
"""

from __future__ import annotations

from datetime import timedelta, tzinfo
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from aiops_core.budget import Limit
from aiops_core.config import Config, Duration, Size, duration_text
from aiops_core.notices import Inhibition, Notices, Route, Silence
from aiops_core.records import QUESTIONS, Question, StopLevel
from aiops_core.text.grouping import compile_pattern
from aiops_core.text.redaction import check_pattern
from aiops_core.text.timestamps import zone_named

__all__ = [
    "ActionStep",
    "Budget",
    "Config",
    "Context",
    "DayBudget",
    "Document",
    "Duration",
    "GroupingRule",
    "Limits",
    "Logging",
    "PipelineConfig",
    "Policy",
    "Repository",
    "Retention",
    "Size",
    "Step",
    "Watch",
    "duration_text",
]


class Limits(Config):
    """What one component may take."""

    time: Duration | None = Field(default=None, gt=timedelta(0))
    """Longest time one call of it may take, or a source may be without a word or a look whether it is to stop;
    when not set, as long as is usual for its kind. One that takes longer is told; in a process of its own it is
    ended and begun again, else it is not called any more."""
    memory: Size = Field(default=1024**3, ge=64 * 1024**2)
    """Most memory its process may take, with ``isolation: process``."""


class Step(Config):
    """One configured component: ``- uses: name`` with its settings."""

    uses: str
    """Name of an installed component, or ``./file.py:Class`` beside the pipeline file."""
    name: str = ""
    """Name of this step in output and state; the component's name when empty."""
    with_: dict[str, Any] = Field(default={}, alias="with")
    """Settings of the component."""
    isolation: Literal["none", "process"] = "none"
    """``process`` runs it in a process of its own: what it hangs, leaks, crashes or ends is that process alone,
    which is begun again. It costs about 40 MB, and a fraction of a millisecond a call."""
    limits: Limits = Limits()
    """What it may take."""


class ActionStep(Step):
    """One configured action and how far it may go."""

    mode: Literal["dry_run", "ask", "auto"] = "dry_run"
    """``dry_run`` plans only, ``ask`` waits for an approval of the plan, ``auto`` acts."""


class Repository(Config):
    """The repository that holds the code behind the logs."""

    url: str
    """Address or local path of the git repository."""
    token: SecretStr | None = None
    """Access token for the forge and for git over HTTPS."""
    ca_file: str = ""
    """File (PEM) with the certificate authority of the forge; those of the system when empty."""
    signing_key: str = ""
    """File with a private SSH key, without a passphrase, that commits are signed with; unsigned when empty."""
    branch: str = ""
    """Branch that fixes start from and are proposed to; the remote's default when empty."""
    paths: dict[str, str] = Field(default={})
    """Deployed path prefix to repository path prefix, as in ``/app/: src/``."""
    release: str = ""
    """Release that runs, a tag or a commit, for events that do not say it themselves."""
    setup: str = ""
    """Command that installs what the tests need; runs on the base commit, with network."""
    test: str = ""
    """Command that runs the tests; runs before and after a fix in the same sandbox."""
    test_timeout: Duration = timedelta(minutes=10)
    """Longest time one run of setup or test may take."""
    sandbox: Literal["bubblewrap", "none"] = "bubblewrap"
    """Where setup and tests run; ``none`` runs them as this user, unprotected."""


class DayBudget(Config):
    """What the models of all pipelines together may take."""

    per_day: Limit | None = None
    """Most within 24 hours, as in ``20 USD``, ``2M tokens`` or ``500 calls``, or several with commas between;
    unlimited when not set. A call that could go beyond it is not made."""


class Budget(Config):
    """What models may take; a call that could go beyond it is not made, and the next analyzer is asked."""

    per_run: Limit | None = None
    """Most for one run of the response, as in ``1 USD``, ``200k tokens``, ``7 calls``, or several with commas
    between; unlimited when not set. An agent's session is one call."""
    per_incident: Limit | None = None
    """Most for one incident, all its runs together, as long as `retention.runs` remembers."""
    per_day: Limit | None = None
    """Most for this pipeline within 24 hours."""


class Policy(Config):
    """What may happen by itself, and when."""

    max_age: Duration = timedelta(hours=24)
    """Events older than this are counted, but never analysed, repaired or told."""
    stop_at: StopLevel = "ready"
    """How far a fix may go: ``analyse`` proposes none, ``patch`` tests and shows it, ``branch`` pushes it,
    ``draft`` opens a draft request, ``ready`` a request for review where the action is set so."""
    min_events: int = Field(default=1, ge=1)
    """An incident of fewer events is analysed, not repaired; it is looked at again when it has as many."""
    abstain: list[Literal["no-in-app-frame", "infrastructure"]] = Field(
        default=["no-in-app-frame", "infrastructure"]
    )
    """What rules a fix out: a stack without a line of the program itself, and a cause outside the code, such
    as a full disk, no memory, DNS, or an upstream service that is down."""
    min_confidence: float = Field(default=0.5, ge=0, le=1)
    """A proposed fix of an analysis less sure than this is reported, not applied."""
    budget: Budget = Budget()
    """What the models of this pipeline may take."""
    tell_within: Duration = timedelta(minutes=5)
    """How long people wait for an analysis that a model which is down, or others that come first, hold up;
    then they get the error without it, and the analysis follows."""
    reuse_within: Duration = timedelta(days=7)
    """How long the analysis of an incident is used again when it returns with the same evidence; 0: never."""
    evidence_tokens: int = Field(default=15_000, ge=1_000)
    """Room for evidence in a question, in tokens of about four characters; what matters least is cut first."""
    max_lookups: int = Field(default=20, ge=0, le=200)
    """Most files, folders and searches in the repository that the models of one run are shown; 0: none."""
    ask_for: list[Question] = Field(default=list(QUESTIONS))
    """What a person must allow, also under ``mode: auto``: a fix of files that are not in the trace, not named
    in the repair steps, not used by such files and no tests; one of more files or lines than below; one that lets code do what it did
    not, such as reach the network or run programs; one that deletes or renames a file, or changes what names
    dependencies, builds, deploys or alters a database; and whatever follows from events whose senders nobody
    checked."""
    approve_within: Duration = Field(default=timedelta(days=7), ge=timedelta(minutes=1))
    """How long a plan waits for an approval; nobody may approve it after that, at least one minute."""
    open_requests: int = Field(default=5, ge=1)
    """Most requests for review open at the same time, for all actions of the pipeline; further fixes wait."""
    requests_per_hour: int = Field(default=2, ge=1)
    """Most requests opened within an hour; further fixes wait. Those that bring one up to date do not count."""
    silent_after: Duration = Field(default=timedelta(days=14), ge=timedelta(minutes=1))
    """How long an error must stay away for its open request to be labelled ``no-longer-seen``, which is said
    there once; at least one minute."""
    verify_after: Duration = Field(default=timedelta(hours=24), ge=timedelta(minutes=1))
    """How long an error must stay away, once a release with its merged fix runs, to be resolved; at least one
    minute."""
    max_files: int = Field(default=10, ge=1)
    """A fix that touches more files than this needs a person (`ask_for`)."""
    max_lines: int = Field(default=500, ge=1)
    """A fix that changes more lines than this needs a person (`ask_for`)."""


class Context(Config):
    """How many lines round an event are kept."""

    before: int = Field(default=10, ge=0, le=100)
    """Lines kept before the event."""
    after: int = Field(default=5, ge=0, le=100)
    """Lines kept after the event."""


class GroupingRule(Config):
    """What is one problem, decided by people; conditions that are empty hold for every event."""

    detector: str = ""
    """Name of the detector that found the event."""
    type: str = ""
    """Pattern found in the type of one of the event's exceptions."""
    message: str = ""
    """Pattern found in the event's message."""
    path: str = ""
    """Pattern found in the file of one of the event's frames."""
    key: str = ""
    """Events the rule holds for are one incident, under this name; the first such rule decides."""
    mask: list[str] = Field(default=[])
    """Patterns of what varies in the messages of events the rule holds for."""

    @field_validator("type", "message", "path")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        compile_pattern(value)
        return value

    @field_validator("mask")
    @classmethod
    def _are_patterns(cls, value: list[str]) -> list[str]:
        for pattern in value:
            compile_pattern(pattern)
        return value

    @model_validator(mode="after")
    def _decides(self) -> GroupingRule:
        if bool(self.key) == bool(self.mask):
            raise ValueError("a rule has either a 'key' or a 'mask'. Write one of them")
        if self.key and not (self.detector or self.type or self.message or self.path):
            raise ValueError("would make one incident of all events. Add detector, type, message or path")
        return self


class PipelineConfig(Config):
    """One pipeline: where signals come from and what is done about them."""

    sources: list[Step] = Field(min_length=1)
    """Where signals come from."""
    detectors: list[Step] = Field(default=[])
    """What finds problems in them; every installed detector without required settings when empty."""
    repository: Repository | None = None
    """The code that logs; without it nothing is repaired."""
    analyzers: list[Step] = Field(default=[])
    """A ladder: the first that can answer does."""
    actions: list[ActionStep] = Field(default=[])
    """What is done with a verified fix."""
    notifiers: list[Step] = Field(default=[])
    """Who is told."""
    routes: list[Route] = Field(default=[])
    """Which notifiers hear of what: the first route that takes a message decides; without routes every
    notifier gets everything."""
    notices: Notices = Notices()
    """When they are told, and how often."""
    silences: list[Silence] = Field(default=[])
    """Times that come again in which messages wait, as for maintenance; ``aiops silence`` sets others."""
    inhibit: list[Inhibition] = Field(default=[])
    """Which causes hide which effects."""
    extensions: list[Step] = Field(default=[])
    """What observes or enriches this pipeline."""
    grouping: list[GroupingRule] = Field(default=[])
    """Rules that decide which events are one problem, before the built-in ones."""
    policy: Policy = Policy()
    """What may happen by itself, and when."""
    context: Context = Context()
    """How many lines round an event are kept."""
    timezone: str = "local"
    """Zone of times that stand in a log without one: an IANA name such as ``Asia/Shanghai``, ``UTC``,
    or ``local``, the zone of this machine (its ``TZ`` if that is set, UTC where it knows none)."""
    language: Literal["en", "zh"] = "en"
    """Language of reports, of answers on requests, and of analyses that can choose; labels stay English."""

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        zone_named(value)
        return value

    @property
    def zone(self) -> tzinfo:
        """The zone itself."""
        return zone_named(self.timezone)


class Logging(Config):
    """The program's own log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged."""
    format: Literal["text", "json"] = "text"
    """``text`` for people, ``json`` for machines, one object a line."""
    file: str = ""
    """File to log to as well, mode 0600; relative to the pipeline file. Empty: none."""
    max_size: Size = 10 * 1024 * 1024
    """Size at which the log file is rotated."""
    keep: int = Field(default=5, ge=1, le=100)
    """Rotated log files kept."""


class Retention(Config):
    """How long the state database keeps things; incidents stay, with their counts."""

    events: Duration = timedelta(days=7)
    """Age at which a stored event is forgotten, save the first and the last of an incident."""
    runs: Duration = timedelta(days=30)
    """Age at which a finished run is forgotten with its evidence, analysis and messages, save the last
    run of an incident."""
    trends: Duration = timedelta(days=30)
    """Age at which counts by the minute are forgotten."""
    size: Size = 2 * 1024**3
    """Bytes the database may hold; above that, things are forgotten earlier."""


class Redaction(Config):
    """What is kept back from models, messages and the state database, beside secrets."""

    also: list[Literal["email", "ip"]] = Field(default=[])
    """What is no secret and goes all the same: addresses of people (``email``) and of machines (``ip``)."""
    patterns: list[str] = Field(default=[])
    """Patterns (RE2) of what else goes, as in ``CUST-\\d{8}``; what a pattern matches is replaced as a whole."""

    @field_validator("patterns")
    @classmethod
    def _are_patterns(cls, value: list[str]) -> list[str]:
        return [check_pattern(pattern) for pattern in value]


class Watch(Config):
    """How the program watches itself; what is wrong is told through the notifiers, once of each cause."""

    canary: Duration = timedelta(minutes=1)
    """Time between canaries: made-up errors that go from the hand-over of a source through detection, database,
    queue and workers of each pipeline, those that tell people too, and are shown to nobody; two that do not
    arrive are told. 0: none."""
    probe: Duration = timedelta(minutes=5)
    """Time between looks whether models, forges and repositories can be reached; two failures in a row are
    told. 0: never."""
    queue: int = Field(default=10_000, ge=1)
    """More jobs than this that wait although they are due are told."""
    disk: Size = 256 * 1024 * 1024
    """Less space than this on the disk of the state or of a log is told."""


class Document(Config):
    """A whole pipeline file."""

    state: str = "./state"
    """Directory of the state database, relative to this file; created with mode 0700."""
    engine: Literal["local"] = "local"
    """Who runs the response: ``local`` is a pool of threads in this process."""
    workers: int = Field(default=4, ge=1, le=64)
    """Incidents answered at the same time."""
    disk: Size = Field(default=20 * 1024**3, ge=1024**2)
    """Most room that repositories and their working copies may take under the state directory; what nobody
    uses goes first, then no fix is tried."""
    analyses: int = Field(default=3, ge=1, le=64)
    """Most incidents that models analyse at the same time, those of all pipelines together."""
    budget: DayBudget = DayBudget()
    """What the models of all pipelines together may take."""
    logging: Logging = Logging()
    """The program's own log."""
    redaction: Redaction = Redaction()
    """What is kept back from models, messages and the state database, beside secrets."""
    watch: Watch = Watch()
    """How the program watches itself."""
    serve: str = ""
    """Address, as in ``127.0.0.1:9464``, where ``aiops run`` answers ``/healthz``, ``/readyz`` and ``/metrics``;
    empty: nowhere. There is no login: let only those reach it who may see the names of pipelines and targets."""
    retention: Retention = Retention()
    """How long the state database keeps things."""
    pipelines: dict[str, PipelineConfig] = Field(min_length=1)
    """The pipelines by name."""

    @field_validator("serve")
    @classmethod
    def _is_address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if value and not (colon and host and port.isdecimal() and int(port) < 65_536):
            raise ValueError("is no address: write host and port, as in 127.0.0.1:9464")
        return value
