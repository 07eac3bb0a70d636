"""A pipeline whose notifiers write down what they are told, and a clock that goes when told to."""

import logging
import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiops_core.pipeline import load
from aiops_core.records import Event, Frame, RaisedException, Report
from aiops_core.respond import Responder
from aiops_core.store import Store, Uptime

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
NOTIFIERS = """\
from aiops_core import Notifier, Receipt

class Plain(Notifier):
    attempts = 3
    retry_after = 60.0

    def notify(self, report):
        self.log.tried.append(report)
        self.log.served.append(dict(self.context.served))
        self.log.hangs.wait(20)
        if self.log.trouble is not None:
            raise self.log.trouble
        self.log.got.append(report)
        return Receipt((report.key,))

class Single(Plain):
    takes_digests = False
"""
PIPELINE = """\
pipelines:
  shop:
    sources: [stdin]
    detectors: [python]
    notifiers: {notifiers}
{more}
"""


class Clock:
    def __init__(self, now=NOON):
        self.now = now
        self.jumped = timedelta(0)

    def jump(self, **time) -> None:
        """Be set to another time, while none passes."""
        self.now += timedelta(**time)
        self.jumped += timedelta(**time)

    def uptime(self) -> Uptime:
        return Uptime("this boot", (self.now - NOON - self.jumped).total_seconds() + 1_000)

    def __call__(self):
        return self.now


class Scene:
    """One runner's worth of work, done step by step; a new one over the same directory is a restart."""

    def __init__(self, directory: Path, more: str = "", names=("mail",), single=(), clock=None) -> None:
        self.directory, self.clock = directory, clock or Clock()
        (directory / "told.py").write_text(NOTIFIERS)
        steps = [
            f"{{uses: './told.py:{'Single' if name in single else 'Plain'}', name: {name}}}" for name in names
        ]
        text = PIPELINE.format(notifiers=f"[{', '.join(steps)}]", more=more)
        (directory / "pipeline.yaml").write_text(text)
        self.loaded = load(directory / "pipeline.yaml")
        (self.pipeline,) = self.loaded.pipelines
        self.logs = {step.name: _Told(step.component) for step in self.pipeline.of_kind("notifiers")}
        self.store = Store.open(directory / "state", clock=self.clock, uptime=self.clock.uptime)
        self.responder = Responder(
            self.loaded.pipelines,
            self.store,
            state=directory / "state",
            disk=1 << 30,
            logger=logging.getLogger("scene"),
            clock=self.clock,
        )
        self.store.queue.recover()
        self.count = 0

    def got(self, name="mail") -> list[Report]:
        """Return what a target took, in order."""
        return self.logs[name].got

    def tried(self, name="mail") -> list[Report]:
        """Return what a target was asked to take."""
        return self.logs[name].tried

    def titles(self, name="mail") -> list[str]:
        return [report.title for report in self.got(name)]

    def trouble(self, error, name="mail") -> None:
        """Let a target raise this from now on, None for nothing."""
        self.logs[name].trouble = error

    def tell(self, key: str, severity="error", title="") -> None:
        """Queue a report that belongs to no incident, as it comes."""
        report = Report(key, "incident", "shop", title or key, severity=severity, created_at=self.clock())
        self.responder.telling.tell(self.pipeline, report, run_id=None, incident_id=None)

    def happen(self, fingerprint="f1", *, times=1, severity="error", status="firing", **attributes) -> int:
        """Record events of one problem; return its incident."""
        events = []
        for _ in range(times):
            self.count += 1
            frames = (Frame("/srv/shop.py", 3, "total"),)
            events.append(
                Event(
                    type=f"Error{fingerprint}",
                    message="no price",
                    severity=severity,
                    fingerprint=fingerprint,
                    read_at=self.clock(),
                    key=f"{self.directory.name} {self.clock().isoformat()} {self.count}",
                    exceptions=(RaisedException(f"Error{fingerprint}", "no price", frames),),
                    attributes=attributes,
                    status=status,
                )
            )
        self.store.record("shop", [(event, True) for event in events], [], {})
        (found,) = [one.id for one in self.store.incidents.list() if one.fingerprint == fingerprint]
        return found

    def work(self, kinds=Responder.kinds) -> None:
        """Do everything that is due."""
        for _ in range(10_000):
            job = self.store.queue.lease(kinds, "scene", 60)
            if job is None:
                return
            self.responder.handle(job)
        raise AssertionError("the work never ends")

    def wait(self, kinds=Responder.kinds, **time) -> None:
        """Let time pass, and do everything when it is due."""
        end = self.clock.now + timedelta(**time)
        self.work(kinds)  # as workers do, who look for work all the time
        while (due := self.store.queue.next_due(kinds)) is not None and due <= end:
            self.clock.now = max(self.clock.now, due)
            self.work(kinds)
        self.clock.now = end

    def rules(self, incident=1) -> list[tuple[str, str]]:
        """Return rule and setting of every decision about an incident but for changes of its state."""
        found = self.store.incidents.decisions(incident)
        return [(one.rule, one.setting) for one in found if one.rule not in ("state", "no-edits")]

    def states(self) -> dict[str, list[str]]:
        """Return the states of all deliveries by target, the first one first."""
        found = defaultdict(list)
        for row in reversed(self.store.deliveries.list(limit=10_000)):
            found[row.target].append(row.state)
        return dict(found)

    def close(self) -> None:
        self.store.close()


class _Told:
    """What a notifier writes down."""

    def __init__(self, component) -> None:
        self.got, self.tried, self.served, self.trouble = [], [], [], None
        self.hangs = threading.Event()
        self.hangs.set()
        component.log = self
