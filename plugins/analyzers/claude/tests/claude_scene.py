"""An incident, what is known of it, a good answer, and an analyzer that asks a stub of the API."""

from contextlib import contextmanager
from datetime import UTC, datetime

from aiops_analyzer_claude import ClaudeAnalyzer, ClaudeConfig

from aiops_core import Context, Evidence, Incident, Refused, Tool

KEY = "sk-ant-api03-dummy-dummy-dummy"

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

INCIDENT = Incident(1, "p", "f", "t", "KeyError", "'total'", "python", "error", "new", 3, NOW, NOW)

EVIDENCE = [
    Evidence("log", "log", "KeyError: 'total'", id="E1"),
    Evidence("source", "a.py", "x = 1", id="E2"),
]

GOOD = {
    "title": "The total is missing",
    "summary": "s",
    "root_cause": "r",
    "repair_steps": ["set it"],
    "cited": ["E1", "E7"],
    "confidence": 0.9,
    "edits": [{"kind": "replace", "path": "a.py", "search": "x = 1", "replace": "x = 2"}],
}


def make(api, *, delays=(0.001, 0.001, 0.001, 0.001), context=None, **settings):
    values = {"api_key": KEY, "base_url": api.url, "model": "claude-opus-5-5", **settings}
    analyzer = ClaudeAnalyzer(ClaudeConfig.model_validate(values), context or Context())
    analyzer.delays = delays
    return analyzer


class Shelf:
    """An explorer with one file."""

    tools = (
        Tool("read_file", "Show a file.", {"type": "object", "properties": {"path": {"type": "string"}}}),
    )

    def __init__(self, left=5):
        self.left = left
        self.asked = []
        self.found = []

    def call(self, name, arguments):
        self.left -= 1
        self.asked.append((name, arguments))
        self.found.append(Evidence("source", "b.py", "y = 1", id=f"X{len(self.asked)}"))
        return f"EVIDENCE X{len(self.asked)}"


class Purse:
    """Let so many calls through, and keep what was asked for and settled."""

    said = None

    def __init__(self, calls=99):
        self.left = calls
        self.asked, self.settled = [], []

    @contextmanager
    def __call__(self, at_most):
        if not self.left:
            raise Refused("the budget is used up", rule="budget", setting="policy.budget.per_day")
        self.left -= 1
        self.asked.append(at_most)
        yield self

    def settle(self, usage, said=None):
        self.settled.append(usage)
