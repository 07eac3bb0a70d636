"""A pipeline with an open request on a forge, and people who talk about it; time goes by at a word."""

import json
import logging
import os
from datetime import UTC, datetime, timedelta

from aiops_core.failpoints import VARIABLE
from aiops_core.pipeline import load
from aiops_core.records import Event, Frame, Outcome, RaisedException
from aiops_core.respond import Responder
from aiops_core.respond.talking import talk_key
from aiops_core.store import Place, Store
from aiops_core.testing.forge_scene import BRANCH

TEST = """\
if grep '+ 1' shop/cart.py; then echo 'the sum is one too high'; exit 1; fi
"""
BUG = "    return sum(prices) + 1"
FIX = "    return sum(prices)"
PIPELINE = """\
state: ./state
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log]}}}}]
    language: {language}
    detectors: [python]
    analyzers: ["./scripted.py:Scripted"]
    notifiers: ["./scripted.py:Kept"]
    repository: {{url: "{url}", token: "{token}", test: "sh check.sh", sandbox: none}}
    actions:
      - uses: {component}
        mode: {mode}
        with: {settings}
"""
SCRIPTED = """\
import json
from pathlib import Path

from aiops_core import Analysis, Analyzer, Edit, Notifier, Receipt

HERE = Path(__file__).parent


class Scripted(Analyzer):
    def analyze(self, incident, evidence):
        shown = [[item.kind, item.title, item.text] for item in evidence]
        with (HERE / "asked.jsonl").open("a") as asked:
            asked.write(json.dumps(shown) + "\\n")
        answers = json.loads((HERE / "answers.json").read_text())
        summary, edits = answers[min(len((HERE / "asked.jsonl").read_text().splitlines()), len(answers)) - 1]
        kinds = ["replace" if old else "create" for _, old, _ in edits]
        edits = tuple(Edit(kind, path, old, new) for kind, (path, old, new) in zip(kinds, edits))
        return Analysis("total adds one", summary, "A stray + 1.", confidence=0.9, edits=edits)


class Kept(Notifier):
    def notify(self, report):
        with (HERE / "told.txt").open("a") as told:
            done = [f"{outcome.status} {outcome.url}" for outcome in report.outcomes]
            plans = [plan.title for plan in report.plans]
            told.write(" ".join([report.kind, report.severity, *plans, *done]) + "\\n")
        return Receipt()
"""


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 3, tzinfo=UTC)

    def __call__(self):
        return self.now


class Office:
    """One process that works on the state directory."""

    def __init__(self, directory, token, clock, hook_secret=""):
        self.directory, self.clock = directory, clock
        self.environment = {"FORGE_TOKEN": token, "HOOK_SECRET": hook_secret}
        self.open()

    def open(self):
        """Start as a process does."""
        self.loaded = load(self.directory / "pipeline.yaml", environment=self.environment)
        self.store = Store.open(self.directory / "state", clock=self.clock)
        self.store.queue.recover()
        for step in self.loaded.pipelines[0].steps:
            step.component.context.clock = self.clock
            step.component.context.scratch.mkdir(parents=True, exist_ok=True)
            step.component.start()
        self.responder = Responder(
            self.loaded.pipelines,
            self.store,
            state=self.directory / "state",
            disk=1 << 30,
            redactor=self.loaded.redactor,
            logger=logging.getLogger("aiops"),
            clock=self.clock,
        )

    def close(self):
        """End as a process does."""
        self.store.close()

    def later(self, seconds):
        """Let time go by."""
        self.clock.now += timedelta(seconds=seconds)

    def wait(self, seconds=200, kinds=Responder.kinds):
        """Let time go by in steps of twenty seconds, and do what is due."""
        for _ in range(0, seconds, 20):
            self.later(20)
            self.work(kinds)

    def work(self, kinds=Responder.kinds):
        """Do what is due now."""
        while (job := self.store.queue.lease(kinds, "test", 60.0)) is not None:
            self.responder.handle(job)


def work_in_child(directory, token, now, seconds, failpoint):
    """Work for so long in this process, which dies at the failpoint."""
    os.environ[VARIABLE] = failpoint
    clock = Clock()
    clock.now = now
    Office(directory, token, clock).wait(seconds)


class TalkScene(Office):
    """A pipeline, its forge, and the people there."""

    def __init__(
        self, bench, directory, *, mode="auto", is_new=True, hook_secret="", language="en", **review
    ):
        self.bench = bench
        directory.mkdir(exist_ok=True)
        if is_new:
            bench.bare.add_commit("main", "check.sh", TEST)
        (directory / "scripted.py").write_text(SCRIPTED)
        if hook_secret:
            review["webhook_secret"] = "${env:HOOK_SECRET}"
        self.settings = {**bench.settings(), "find_reviewers": False, "draft": False, "review": review}
        self.directory = directory
        self.language = language
        self._write(mode)
        self.answers = [["The sum is one too high.", [["shop/cart.py", BUG, FIX]]]]
        super().__init__(directory, bench.token, Clock(), hook_secret)

    def _write(self, mode):
        (self.directory / "pipeline.yaml").write_text(
            PIPELINE.format(
                url=self.bench.setup.repository["url"],
                token="${env:FORGE_TOKEN}",
                component=self.bench.action_type.words.component,
                mode=mode,
                language=self.language,
                settings=json.dumps(self.settings),
            )
        )

    @property
    def place(self):
        """What a child process needs to go on."""
        return self.directory, self.bench.token, self.clock.now

    def set_mode(self, mode):
        """Go on under another mode of the action."""
        self._write(mode)
        self.close()
        self.open()

    def restart(self):
        """Go on as another process."""
        self.close()
        self.open()

    def record(self):
        """Let the error happen."""
        frame = Frame("shop/cart.py", 2, "total")
        error = RaisedException("AssertionError", "total is off by one", (frame,))
        event = Event(
            "AssertionError",
            "total is off by one",
            severity="error",
            language="python",
            read_at=self.clock(),
            exceptions=(error,),
            fingerprint="v1:0123456789abcdef",
            block="AssertionError: total is off by one",
            key="k1",
        )
        self.store.record("shop", [(event, True)], [], {})

    def happen(self):
        """Let the error happen, and do what is due."""
        self.record()
        self.wait(20)
        return self

    def open_request(self):
        """Let the error happen, and its fix be proposed."""
        self.happen()
        (seen,) = self.bench.seen()
        assert seen.branch == BRANCH
        return self

    def listen_to(self, number):
        """Listen to what is said on a request, as after opening it."""
        self.record()
        run = self.store.runs.latest(1)
        self.later(20)
        self.store.queue.finish(self.store.queue.lease(["run"], "test", 60.0))
        name = self.bench.action_type.words.component
        data = {"number": number, "branch": BRANCH, "commit": "", "state": "open"}
        outcome = Outcome("done", "opened.", self.bench.number_url(number), data, final=False)
        self.store.runs.save_outcome(run.id, name, outcome)
        self.talk_place = Place("shop", name, outcome.url)
        payload = {"run": run.id, "step": name, "number": number, "failures": 0}
        due = self.clock() + timedelta(minutes=1)
        self.store.queue.enqueue("talk", talk_key("shop", name, outcome.url), payload, due_at=due)

    def say(self, text, by="ann", **where):
        """Write a comment."""
        return self.bench.talk.add(1, by, text, **where)

    def answer(self, summary, *edits):
        """Let the model say this next."""
        self.answers.append([summary, list(edits)])

    def work(self, kinds=Responder.kinds):
        """Do what is due now, the model's answers at hand."""
        (self.directory / "answers.json").write_text(json.dumps(self.answers))
        super().work(kinds)

    def wait_for_a_round(self):
        """Wait until a round is queued, and not a moment longer."""
        before = self.runs()
        for _ in range(30):
            self.wait(20, kinds=("talk",))
            if self.runs() != before:
                return
        raise AssertionError("no round began")

    def approve(self):
        """Allow the plan that waits."""
        run = self.store.runs.latest(1)
        (plan,) = self.store.runs.waiting(run.id)
        self.store.runs.approve(run.id, plan.action, plan.stored.plan.hash, "ops")
        self.store.runs.resume(run.id)

    @property
    def asked(self):
        """What the model was shown, question by question."""
        path = self.directory / "asked.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def told(self):
        """What notifiers were given: kind, severity, plans, and what was done where."""
        return (self.directory / "told.txt").read_text().splitlines()

    @property
    def wishes(self):
        """What reviewers asked for, in the last question to the model."""
        return [(title, text) for kind, title, text in self.asked[-1] if kind == "review"]

    @property
    def said(self):
        """What we said on the request, without the hidden mark."""
        ours = (one for one in self.bench.talk.of(1) if one.author == self.bench.talk.owner)
        return [one.text.partition("\n\n")[2] for one in ours if one.text.startswith("<!-- aiops:")]

    @property
    def commits(self):
        """The commits of the request, the first one first."""
        return self.bench.bare.git("rev-list", "--reverse", f"main..{BRANCH}").split()

    def file(self, path="shop/cart.py"):
        """A file as the request has it."""
        return self.bench.bare.git("show", f"{BRANCH}:{path}")

    def runs(self):
        """The reasons of all runs."""
        return [run.reason for run in self.store.runs.of_incident(1)]


def edit(old, new, path="shop/cart.py"):
    """Return an edit as the scripted model writes it; ``old`` "" makes a new file."""
    return [path, old, new]
