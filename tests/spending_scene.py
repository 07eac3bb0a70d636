"""A pipeline whose only analyzer calls a pretended model and says what that takes."""

from __future__ import annotations

import json
import logging
import threading
from datetime import timedelta
from pathlib import Path

from aiops_core.context import utc_now
from aiops_core.pipeline import load
from aiops_core.runner import Runner
from aiops_core.store import Store
from aiops_core.testing.pipeline import PipelineResult, run_pipeline

PIPELINE = """\
workers: {workers}
{top}
pipelines:
  shop:
    sources: [{{uses: './sent.py:Sent'}}]
    detectors: [python]
    analyzers:
{analyzers}
    notifiers: ['./heard.py:Heard']
    policy: {{{policy}}}
    notices: {{storm: {{messages: 100000, incidents: 100000}}}}
"""
SENT = """\
from pathlib import Path
from aiops_core import Event, Source

class Sent(Source):
    def source(self, positions):
        for name in Path(self.context.directory, "sent").read_text().split():
            if name not in positions:
                yield Event(name, f"it failed at {name}", stream=name, position={"at": 1})
"""
HEARD = """\
import json
from pathlib import Path
from aiops_core import Notifier, Receipt

class Heard(Notifier):
    def notify(self, report):
        said = {"key": report.key, "kind": report.kind, "title": report.title}
        if report.analysis:
            said |= {"by": report.analysis.analyzer, "incident": report.incident.id, "summary": report.analysis.summary}
        with Path(self.context.directory, "heard").open("a") as heard:
            heard.write(json.dumps(said) + "\\n")
        return Receipt()
"""
ASKED = """\
import threading
import time
from pathlib import Path
from aiops_core import Analysis, Analyzer, AtMost, Config, Retry, Usage

class AskedConfig(Config):
    \"\"\"Settings.\"\"\"

    most: float | None = 0.3
    \"\"\"Cost of a call at the most.\"\"\"
    tokens: int | None = 100
    \"\"\"Tokens of a call at the most.\"\"\"
    real: float | None = 0.1
    \"\"\"Cost of a call.\"\"\"
    calls: int = 1
    \"\"\"Calls for an answer.\"\"\"
    seconds: float = 0
    \"\"\"Seconds before a call.\"\"\"
    slow: float = 0
    \"\"\"Seconds a call takes.\"\"\"
    cut: bool = False
    \"\"\"Whether calls break off, and nobody knows what they took.\"\"\"

class Asked(Analyzer[AskedConfig]):
    config: AskedConfig
    lock = threading.Lock()
    now = 0

    def analyze(self, incident, evidence):
        with self.lock:
            Asked.now += 1
            with Path(self.context.directory, "together").open("a") as together:
                together.write(f"{Asked.now}\\n")
        try:
            return self._answer(incident)
        finally:
            with self.lock:
                Asked.now -= 1

    def _answer(self, incident):
        time.sleep(self.config.seconds)
        if Path(self.context.directory, "down").exists():
            raise Retry("the model is down", after=30)
        said = [self._call(incident, number) for number in range(self.config.calls)]
        return Analysis(f"Why {incident.type}", " ".join(said), "r", confidence=0.9)

    def _call(self, incident, number):
        with self.context.spending(AtMost("pretended", self.config.tokens, self.config.most)) as spending:
            if spending.said is not None:
                return spending.said
            with Path(self.context.directory, "calls").open("a") as calls:
                calls.write(f"{self.context.name}/{incident.type}\\n")
            time.sleep(self.config.slow)
            if self.config.cut:
                raise Retry("the stream was cut off", after=600)
            usage = Usage("pretended", 40, 10, cost=self.config.real)
            spending.settle(usage, f"said {number}")
            return f"said {number}"
"""


def asked(settings: str = "", name: str = "asked") -> str:
    """Return the step that asks."""
    return f"      - {{uses: './asked.py:Asked', name: {name}, with: {{{settings}}}}}"


def names(count: int) -> str:
    """Return so many names that differ in more than numbers."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return " ".join(f"Error{letters[n // 676]}{letters[n // 26 % 26]}{letters[n % 26]}" for n in range(count))


class Scene:
    """Run the pipeline again and again, on a clock that is set by hand."""

    def __init__(
        self,
        directory: Path,
        policy: str = "",
        *,
        settings: str = "",
        workers: int = 1,
        top: str = "",
        analyzers: str = "",
    ) -> None:
        self.directory = directory
        analyzers = analyzers or asked(settings)
        self.text = PIPELINE.format(policy=policy, analyzers=analyzers, workers=workers, top=top)
        self.now = utc_now()
        self.files = {"sent.py": SENT, "asked.py": ASKED, "heard.py": HEARD}

    def run(self, count: int, *, after: timedelta = timedelta(0), timeout: float = 30.0) -> PipelineResult:
        """Let so much time pass and have so many different errors seen so far."""
        self.now += after
        files = {**self.files, "sent": names(count)}
        done = run_pipeline(self.text, files, self.directory, clock=lambda: self.now, timeout=timeout)
        assert done.error == ""
        return done

    def watch(self, count: int, *, after: timedelta = timedelta(0)) -> None:
        """The same as `aiops run` does it, until the source has ended and nothing is due."""
        self.now += after
        for name, text in {**self.files, "sent": names(count), "pipeline.yaml": self.text}.items():
            (self.directory / name).write_text(text)
        loaded = load(self.directory / "pipeline.yaml")
        logger = logging.getLogger("aiops.test.spending")
        Runner(loaded, threading.Event(), ballast=0, logger=logger, clock=lambda: self.now).run()

    @property
    def heard(self) -> list[dict[str, str]]:
        """What people were told of incidents, the first message first."""
        path = self.directory / "heard"
        said = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [one for one in said if one["kind"] == "incident"]

    def decided(self, incident: int, rule: str) -> list[str]:
        """Return what was decided about an incident by a rule."""
        with self.store() as store:
            return [one.text for one in store.incidents.decisions(incident) if one.rule == rule]

    @property
    def calls(self) -> list[str]:
        """Types of the errors the model was asked about."""
        path = self.directory / "calls"
        return path.read_text().split() if path.exists() else []

    def store(self) -> Store:
        """Return the state."""
        return Store.open(self.directory / "state")
