"""Calls that take too long, in the program's own process: told, their step off, the others served."""

import subprocess
import sys
import threading
import time

import pytest

from aiops_core.errors import PluginBroken
from aiops_core.overtime import Overseer, Patience
from aiops_core.testing import run_pipeline

PARTS = """\
import time
from aiops_core import Action, Analysis, Analyzer, Event, Extension, LogBatch, LogDetector, Notifier, Outcome, Plan, Receipt, Source


class Loop(LogDetector):
    triggers = ("boom",)
    rank = "line"

    def detect(self, block):
        while True:
            try:
                len("x")
            except Exception:
                pass


class Cut(Loop):
    triggers = ("bang",)

    def cut(self, lines, hit):
        while True:
            len("x")

    def detect(self, block):
        return Event("Bang")


class Explain(Analyzer):
    def analyze(self, incident, evidence):
        time.sleep(60 if self.context.name == "slow" else 0)
        return Analysis("by " + self.context.name, "It is known.", "The cause.", confidence=1.0)


class Do(Action):
    def plan(self, incident, analysis, change):
        time.sleep(60 if self.context.name == "plan" else 0)
        return Plan("Do it", "It will be done.")

    def act(self, plan):
        with self.context.step("write", "once") as effect:
            time.sleep(60 if self.context.name == "act" else 0)
            effect.result = 1
        return Outcome("done", "It is done.")


class Tell(Notifier):
    def notify(self, report):
        time.sleep(60 if self.context.name == "slow" else 0)
        return Receipt()


class See(Extension):
    def _do(self, hook):
        time.sleep(60 if self.context.name == hook else 0)
        if self.context.name == "raise":
            raise LookupError(hook)
        with open(self.context.directory / "seen", "a") as seen:
            seen.write(f"{self.context.name} {hook}\\n")

    def gather(self, incident):
        self._do("gather")

    def started(self, pipeline):
        self._do("started")

    def events_recorded(self, events):
        self._do("events_recorded")

    def incident_changed(self, incident, before):
        self._do("incident_changed")

    def step_finished(self, incident, step, state):
        self._do("step_finished")


class Read(Source):
    def source(self, positions):
        for number in range(3):
            time.sleep(0.7)
            data = b"well\\n"
            marks = ((0, {"at": number}), (len(data), {"at": number + 1}))
            yield LogBatch("one", data, marks, offset=number * len(data))

    def committed(self, stream, position):
        time.sleep(60)
"""
OBSERVED = ("gather", "started", "events_recorded", "incident_changed", "step_finished")
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in b\n{}: x\n'
SLOW = "limits: {time: 500ms}"


def pipeline(**kinds):
    rows = {"sources": ["{uses: file, with: {paths: [./app.log], start: beginning}}"], **kinds}
    return "pipelines:\n  shop:\n" + "".join(
        f"    {kind}:\n" + "".join(f"      - {one}\n" for one in steps) for kind, steps in rows.items()
    )


def test_a_detector_that_loops_is_broken_into_told_and_off(tmp_path):
    detectors = [f"{{uses: './parts.py:{kind}', name: {kind.lower()}, {SLOW}}}" for kind in ("Loop", "Cut")]
    log = "boom 1\nbang 1\n" + TRACE.format("ValueError") + "boom 2\nbang 2\n"

    result = run_pipeline(
        pipeline(detectors=["python", *detectors]), {"app.log": log, "parts.py": PARTS}, tmp_path
    )

    counts = {incident.type: incident.count for incident in result.incidents}
    assert counts == {"ValueError": 1, "unread loop": 2, "unread cut": 2}
    over = "took longer than 0.5 s. It is off until the next start or reload. Its lines are counted unread"
    assert sorted(fault.text for fault in result.faults) == [
        f"detector cut: cut() {over}",
        f"detector loop: detect() {over}",
    ]


def test_a_response_leaves_calls_behind_that_take_too_long(tmp_path):
    def steps(kind, names, more=""):
        limits = {name: "" if name in {"fine", "done"} else f", {SLOW}" for name in names}
        return [f"{{uses: './parts.py:{kind}', name: {name}{more}{limits[name]}}}" for name in names]

    text = pipeline(
        detectors=["python"],
        analyzers=steps("Explain", ("slow", "fine")),
        actions=steps("Do", ("plan", "act", "done"), ", mode: auto"),
        notifiers=steps("Tell", ("slow", "fine")),
    )
    log = TRACE.format("ValueError") + "well\n" + TRACE.format("KeyError")
    began = time.monotonic()

    result = run_pipeline(text, {"app.log": log, "parts.py": PARTS}, tmp_path)

    assert time.monotonic() - began < 55  # what is left behind takes a minute
    assert [report.analysis.analyzer for report in result.reports] == ["fine", "fine"]
    assert {outcome.action for report in result.reports for outcome in report.outcomes} == {"done"}
    told = {fault.text.replace(". The step is off until that call ends; with 'isolation: process' it would be ended", "") for fault in result.faults}  # fmt: skip
    assert told == {
        "analyzer slow: analyze() took longer than 0.5 s",
        "plan plan: plan() took longer than 0.5 s",
        "act act: act() took longer than 0.5 s",
    }
    (error,) = {one.error for one in result.deliveries if one.target == "slow" and one.error}
    assert error in {"slow: no answer within 0.5 s.", "slow: an earlier message has no answer yet."}


def test_extensions_that_hang_or_raise_are_told_by_name_and_the_others_see_everything(tmp_path):
    extensions = [
        *(f"{{uses: './parts.py:See', name: {name}, {SLOW}}}" for name in OBSERVED),
        *(f"{{uses: './parts.py:See', name: {name}}}" for name in ("raise", "fine")),
    ]
    log = TRACE.format("ValueError")

    result = run_pipeline(
        pipeline(detectors=["python"], extensions=extensions, notifiers=["{uses: './parts.py:Tell', name: fine}"]),
        {"app.log": log, "parts.py": PARTS},
        tmp_path,
    )  # fmt: skip

    assert [report.incident.type for report in result.reports] == ["ValueError"]
    seen = set((tmp_path / "seen").read_text().splitlines())
    assert {f"fine {hook}" for hook in OBSERVED} <= seen
    over = "took longer than 0.5 s. The step is off until that call ends"
    assert {fault.text for fault in result.faults} == {
        *(f"extension {hook}: {hook}() {over}" for hook in OBSERVED),
        *(f"extension raise raised LookupError: {hook}" for hook in OBSERVED),
    }


def test_a_source_that_hangs_in_committed_keeps_nobody_from_reading(tmp_path):
    sources = [f"{{uses: './parts.py:Read', name: slow, {SLOW}}}"]
    text = pipeline(detectors=["python"]).replace("    detectors", f"      - {sources[0]}\n    detectors")

    result = run_pipeline(text, {"app.log": TRACE.format("ValueError"), "parts.py": PARTS}, tmp_path)

    assert [incident.type for incident in result.incidents] == ["ValueError"]
    assert [fault.text.partition(". The")[0] for fault in result.faults] == [
        "source slow: committed() took longer than 0.5 s"
    ]


def test_a_step_is_called_again_when_the_late_call_has_ended():
    patience, is_to_end, has_ended = Patience(), threading.Event(), threading.Event()

    with pytest.raises(PluginBroken, match=r"act\(\) took longer than 0.05 s"):
        patience.call("act", 0.05, is_to_end.wait)
    with pytest.raises(PluginBroken, match="an earlier call"):
        patience.call("act", 60, lambda: 1)
    is_to_end.set()
    while patience.is_off:
        has_ended.wait(0.01)

    assert patience.call("act", 60, lambda: 1) == 1


WAITING = """
import os, signal, subprocess, threading, time
from aiops_core.overtime import Overseer

def work():
    subprocess.Popen(["sh", "-c", f"kill -STOP {os.getpid()}; sleep 6; kill -CONT {os.getpid()}"]).wait()
    for _ in range(30):
        time.sleep(0.01)
    return "done"

overseer = Overseer([5.0], lambda owner, text: None)
overseer.start(threading.Event())
print(overseer.call(0, "detect", work))
"""


def test_time_for_which_the_whole_process_was_stopped_is_nobodys_overtime():
    told = subprocess.run([sys.executable, "-c", WAITING], capture_output=True, text=True, timeout=60)

    assert (told.stdout, told.stderr) == ("done\n", "")


def test_looking_after_a_call_takes_no_longer_than_some_plain_calls():
    overseer = Overseer([30.0], lambda owner, text: None)

    def took(call):
        began = time.process_time()
        for _ in range(20_000):
            call()
        return (time.process_time() - began) / 20_000

    plain, overseen = (
        min(took(call) for _ in range(3)) for call in (lambda: 0, lambda: overseer.call(0, "detect", int))
    )

    assert overseen < 30 * plain
