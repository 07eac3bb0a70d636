"""What people write about messages: who hears of what."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic_core import CoreSchema

from aiops_core.config import Config, Duration
from aiops_core.records import SEVERITY_NAMES, ReportKind, Severity, parse_severity
from aiops_core.text.timestamps import zone_named

T = TypeVar("T")
Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]|24):([0-5]\d)")


def _listed(value: Any) -> Any:  # Any: whatever stands in the YAML
    return value if isinstance(value, list | tuple) or value is None else [value]


def _severity(value: Any) -> Any:  # Any: whatever stands in the YAML
    return parse_severity(value) if isinstance(value, str) else value


class _OneOrMore:
    """Say in the JSON Schema that one value may stand in the place of a list of it."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed]}


class _Named:
    """Say in the JSON Schema under which names a severity may be written."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "enum": list(SEVERITY_NAMES)}


AnySeverity: TypeAlias = Annotated[Severity, BeforeValidator(_severity), _Named()]
"""A severity, or another name people have for it."""
Some: TypeAlias = Annotated[list[T], BeforeValidator(_listed), _OneOrMore()]
"""One value or a list of them."""


class Match(Config):
    """Conditions on what a message is about; all that are written must hold, none hold for everything.

    Words may have ``*`` and ``?``; of a list one has to fit.
    """

    severity: Some[AnySeverity] = Field(default=[])
    """Severities, of which the message has one."""
    kind: Some[ReportKind] = Field(default=[])
    """What the message is: ``incident`` is the full report, ``reminder``, ``escalating`` and ``resolved`` are
    short news of an incident told before, ``fault`` is about aiops itself."""
    service: Some[str] = Field(default=[])
    """Services, as the events name theirs."""
    owner: Some[str] = Field(default=[])
    """Owners: who an event says owns it, and who CODEOWNERS says owns the code it came from."""
    path: Some[str] = Field(default=[])
    """Files of the code or of the log, as in ``src/billing/*``."""
    type: Some[str] = Field(default=[])
    """Types of the error, as in ``*TimeoutError``."""
    title: Some[str] = Field(default=[])
    """Titles of the incident."""
    fingerprint: Some[str] = Field(default=[])
    """Fingerprints of the incident."""
    attributes: dict[str, Some[str]] = Field(default={})
    """Attributes of the events, such as ``host`` or ``container``, and their values."""

    @property
    def is_empty(self) -> bool:
        """Whether it holds for everything."""
        return not self.model_dump(exclude_defaults=True)


class When(Match):
    """Conditions on what a message is about, how sure it is and when it is sent."""

    confidence: float = Field(default=0.0, ge=0, le=1)
    """Least confidence of the analysis."""
    hours: str = ""
    """Time of day from and until, as in ``22:00-07:00``; over midnight it belongs to the day it began on."""
    days: Some[Day] = Field(default=[])
    """Days of the week, as in ``[sat, sun]``."""
    zone: str = ""
    """Zone of hours and days, as in ``Europe/Berlin``; the pipeline's ``timezone`` when empty."""

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        if value and not _HOURS.fullmatch(value.strip()):
            raise ValueError(f"{value!r} are no hours: write from and until, as in 22:00-07:00")
        return value

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if value:
            zone_named(value)
        return value

    @property
    def minutes(self) -> tuple[int, int]:
        """First minute of the day and the one after the last; the second is less over midnight."""
        match = _HOURS.fullmatch(self.hours.strip())
        if match is None:
            return 0, 24 * 60
        start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        return start, min(end, 24 * 60)


class Route(Config):
    """Who hears of what."""

    when: When = When()
    """Messages it takes; every one when empty."""
    to: Some[str] = Field(min_length=1)
    """Names of the notifiers that get them."""
    fallback: str = ""
    """Notifier that gets a message where one of those does not take it: refused, or tried in vain as often as
    the notifier's ``attempts`` say."""
    escalate: Some[str] = Field(default=[])
    """Notifiers that are told one after the other while nobody acknowledges the incident."""
    escalate_after: Duration = Field(default=timedelta(minutes=15), ge=timedelta(minutes=1))
    """How long each waits for an acknowledgement (``aiops incidents ack``), at least one minute."""
    pass_on: bool = False
    """Whether later routes are asked too."""


class Storm(Config):
    """What is too much at once: of messages to one target, and of new incidents."""

    messages: int = Field(default=10, ge=1)
    """Messages a target gets one by one; more within that time wait until it is over and go out as one."""
    within: Duration = Field(default=timedelta(minutes=5), ge=timedelta(seconds=1))
    """The time in which they are counted, and how long a storm of incidents lasts before another is counted."""
    incidents: int = Field(default=30, ge=1)
    """More incidents than this that come up or come back within a minute are a storm: only the gravest of them
    are analysed, the others are told as they stand in the log, all in one message when the storm is over."""
    analyse: int = Field(default=10, ge=0)
    """Incidents of a storm that models analyse: the gravest, then those with the most events."""
    together: Duration = timedelta(seconds=30)
    """Incidents of one service that come up in a storm within this time are one for people: the gravest leads, the
    others are part of it, not analysed, and reminded of only with it; 0s: each is told for itself."""


class CoolDown(Config):
    """Shortest time between two messages about one incident, by its severity."""

    critical: Duration = timedelta(minutes=1)
    """Time between messages about a critical incident."""
    error: Duration = timedelta(minutes=5)
    """Time between messages about an error."""
    warning: Duration = timedelta(minutes=15)
    """Time between messages about a warning."""
    info: Duration = timedelta(hours=1)
    """Time between messages about what is only for information."""


class Escalating(Config):
    """When an error is becoming more frequent."""

    times: float = Field(default=5.0, ge=0)
    """Times as many events within ten minutes as in ten minutes of the hour before; 0 never tells."""
    events: int = Field(default=20, ge=1)
    """Fewer events within ten minutes than this are never told."""


class Notices(Config):
    """When people are told, and how often."""

    wait: Duration = timedelta(0)
    """How long the first message about an incident waits; one that is over by then is not told."""
    cool_down: Duration | CoolDown = CoolDown()
    """Shortest time between two messages about one incident: by severity, or one for all. What people ask for
    and what becomes graver does not wait."""
    again_after: Duration = timedelta(hours=1)
    """Time in which the same news about an incident is not told twice."""
    remind: Duration = timedelta(hours=1)
    """Time after which people are told again of an incident that goes on; doubled each time; 0s never."""
    remind_at_most: Duration = timedelta(hours=24)
    """Longest time between two reminders."""
    resolve_after: Duration = timedelta(days=3)
    """Time without an event after which an incident is resolved; 0s never."""
    escalating: Escalating = Escalating()
    """When an error is becoming more frequent."""
    storm: Storm = Storm()
    """What is too much at once: of messages to one target, and of new incidents."""
    give_up_after: Duration = Field(default=timedelta(hours=24), ge=timedelta(minutes=1))
    """How long a message is tried at a target that does not take it; then it is given up, and another target
    is told so. At least one minute."""

    def cool_down_of(self, severity: Severity) -> timedelta:
        """Return the shortest time between two messages about an incident of this severity."""
        if isinstance(self.cool_down, CoolDown):
            times: dict[str, timedelta] = dict(self.cool_down)
            return times[severity]
        return self.cool_down


class Silence(Config):
    """A time that comes again in which messages wait, as for maintenance."""

    when: When
    """Messages that wait, and the hours and days in which they do."""
    why: str = Field(min_length=1)
    """The reason, for those who wonder."""

    @model_validator(mode="after")
    def _ends(self) -> Silence:
        if not (self.when.hours or self.when.days):
            raise ValueError("would never end. Write hours or days in 'when'")
        if self.when.confidence:
            raise ValueError("how sure an analysis is does not count here. Leave confidence out")
        return self


class Inhibition(Config):
    """Messages about an effect wait while its cause is open."""

    source: Match
    """Incidents that are the cause; one counts that is open and was heard of within the hour."""
    target: Match
    """Messages that wait then."""
    equal: Some[str] = Field(min_length=1)
    """What cause and effect must have in common: ``service``, ``owner``, ``path``, or an attribute such as
    ``host``."""
