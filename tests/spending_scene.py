"""A pipeline whose only analyzer calls a pretended model and says what that takes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from aiops_core.component import utc_now
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
      - {{uses: './asked.py:Asked', with: {{{settings}}}}}
    policy: {{{policy}}}
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
ASKED = """\
from pathlib import Path
from aiops_core import Analysis, Analyzer, AtMost, Config, Usage

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

class Asked(Analyzer[AskedConfig]):
    config: AskedConfig

    def analyze(self, incident, evidence):
        for _ in range(self.config.calls):
            with self.context.spending(AtMost("pretended", self.config.tokens, self.config.most)) as spending:
                with Path(self.context.directory, "calls").open("a") as calls:
                    calls.write(f"{incident.type}\\n")
                spending.settle(Usage("pretended", 40, 10, cost=self.config.real))
        return Analysis(f"Why {incident.type}", "s", "r", confidence=0.9)
"""


def names(count: int) -> str:
    """Return so many names that differ in more than numbers."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return " ".join(f"Error{letters[n // 676]}{letters[n // 26 % 26]}{letters[n % 26]}" for n in range(count))


class Scene:
    """Run the pipeline again and again, on a clock that is set by hand."""

    def __init__(
        self, directory: Path, policy: str = "", *, settings: str = "", workers: int = 1, top: str = ""
    ) -> None:
        self.directory = directory
        self.text = PIPELINE.format(policy=policy, settings=settings, workers=workers, top=top)
        self.now = utc_now()
        self.files = {"sent.py": SENT, "asked.py": ASKED}

    def run(self, count: int, *, after: timedelta = timedelta(0), timeout: float = 30.0) -> PipelineResult:
        """Let so much time pass and have so many different errors seen so far."""
        self.now += after
        files = {**self.files, "sent": names(count)}
        done = run_pipeline(self.text, files, self.directory, clock=lambda: self.now, timeout=timeout)
        assert done.error == ""
        return done

    @property
    def calls(self) -> list[str]:
        """Types of the errors the model was asked about."""
        path = self.directory / "calls"
        return path.read_text().split() if path.exists() else []

    def store(self) -> Store:
        """Return the state."""
        return Store.open(self.directory / "state")
