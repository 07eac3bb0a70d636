"""Work that is given up is told: once, and in the transaction in which it is given up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aiops_core.context import utc_now
from aiops_core.errors import StoreError
from aiops_core.store import Store
from aiops_core.testing.pipeline import run_pipeline

AIOPS = Path(sys.executable).parent / "aiops"
CRASH = 'Traceback (most recent call last):\n  File "/app/a.py", line 7, in total\nValueError: no price\n'
PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./*.log]}}]
    detectors: [python]
"""
KILLER = """\
import os, signal
from aiops_core import Analyzer

class Killer(Analyzer):
    def analyze(self, incident, evidence):
        os.kill(os.getpid(), signal.SIGKILL)
"""
KEEP = """\
import json
from pathlib import Path
from aiops_core import Notifier, Receipt

class Keep(Notifier):
    def notify(self, report):
        with Path(self.context.directory, "told").open("a") as told:
            told.write(json.dumps([report.kind, report.title, report.text]) + "\\n")
        return Receipt()
"""


def retried(directory: Path, incident: int = 1) -> None:
    """Ask for another run of an incident."""
    with Store.open(directory / "state") as store:
        store.runs.create(incident, "retry")


def used_up(directory: Path, *kinds: str) -> None:
    """Lease a job as often as it may be tried, by workers that never answer."""
    with Store.open(directory / "state") as store:
        for _ in range(5):
            assert store.queue.lease(kinds, "a worker that was killed", 0.0) is not None


def told_of(incident: int, run: int) -> tuple[str, str]:
    text = (
        f"run {run} of incident {incident} was given up: its worker ended without an answer, 5 times. "
        f"Look at it with 'aiops incidents show {incident}', "
        f"answer it again with 'aiops incidents retry {incident}'"
    )
    return f"aiops itself: incident {incident} is not answered", text


def test_a_run_whose_workers_died_is_told_once(tmp_path):
    run_pipeline(PIPELINE, {"shop.log": CRASH}, tmp_path)
    told = []

    for _ in range(2):
        retried(tmp_path)
        used_up(tmp_path, "run")
        told.append(run_pipeline(PIPELINE, {}, tmp_path).fault_reports)

    first, second = told

    assert [(report.title, report.text) for report in first] == [told_of(1, 2)]
    assert second == ()
    with Store.open(tmp_path / "state") as store:
        assert [run.state for run in store.runs.of_incident(1)] == ["done", "failed", "failed"]
        assert [(fault.cause, fault.count) for fault in store.faults()] == [("incident 1 is not answered", 2)]


def test_each_incident_that_is_not_answered_is_told(tmp_path):
    other = CRASH.replace("ValueError: no price", "KeyError: 'count'").replace("/app/a.py", "/app/b.py")
    run_pipeline(PIPELINE, {"shop.log": CRASH, "other.log": other}, tmp_path)
    told = []

    for incident in (1, 2):
        retried(tmp_path, incident)
        used_up(tmp_path, "run")
        told += run_pipeline(PIPELINE, {}, tmp_path).fault_reports

    assert [report.title for report in told] == [told_of(n, 0)[0] for n in (1, 2)]


@pytest.mark.full
def test_a_run_that_kills_its_process_five_times_is_told_by_the_next_start(tmp_path):
    text = PIPELINE + "    analyzers: ['./killer.py:Killer']\n    notifiers: ['./keep.py:Keep']\n"
    for name, content in {
        "killer.py": KILLER,
        "keep.py": KEEP,
        "shop.log": CRASH,
        "pipeline.yaml": text,
    }.items():
        (tmp_path / name).write_text(content)
    once = [AIOPS, "run", "--once"]

    ends = [subprocess.run(once, cwd=tmp_path, timeout=60).returncode for _ in range(7)]

    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert ends == [-9] * 5 + [0, 0]
    assert told == [["fault", *told_of(1, 1)]]


def test_a_death_and_what_is_told_of_it_are_one_transaction(tmp_path):
    run_pipeline(PIPELINE, {"shop.log": CRASH}, tmp_path)
    retried(tmp_path)
    used_up(tmp_path, "run")

    def disk_is_gone(job):
        raise StoreError("the disk is gone")

    with Store.open(tmp_path / "state") as store:
        store.queue.recover()
        store.queue.watch_deaths(disk_is_gone)
        with pytest.raises(StoreError):
            store.queue.lease(("run",), "me", 60)
        jobs = [job.state for job in store.queue.jobs() if job.kind == "run"]
        assert (jobs, store.runs.get(2).state) == (["leased"], "waiting")


def test_a_delivery_whose_workers_died_is_told_to_the_others(tmp_path):
    text = PIPELINE + "    notifiers: ['./keep.py:Keep']\n"
    run_pipeline(text, {"shop.log": CRASH, "keep.py": KEEP}, tmp_path)
    with Store.open(tmp_path / "state") as store:
        (delivery,) = (row for row in store.deliveries.list() if row.target == "keep")
        store.deliveries.retry(delivery.id)
        for _ in range(20):
            store.queue.lease(("deliver",), "a worker that was killed", 0.0)
        store.deliveries.begin([delivery.id])

    done = run_pipeline(text, {}, tmp_path)

    assert [(report.title, report.text) for report in done.fault_reports] == [
        (
            "aiops itself: notifier keep",
            f"delivery {delivery.id} to keep was given up: its worker ended without an answer, 20 times. "
            f"Send it again with 'aiops deliveries retry {delivery.id}'",
        )
    ]


def test_a_delivery_to_a_notifier_that_left_the_file_is_told(tmp_path):
    text = PIPELINE + "    notifiers: ['./keep.py:Keep']\n"
    run_pipeline(text, {"shop.log": CRASH, "keep.py": KEEP}, tmp_path)
    with Store.open(tmp_path / "state") as store:
        (delivery,) = (row for row in store.deliveries.list() if row.target == "keep")
        store.deliveries.retry(delivery.id)

    done = run_pipeline(PIPELINE, {}, tmp_path)

    assert [report.text for report in done.fault_reports] == [
        f"delivery {delivery.id} to keep was given up: notifier 'keep' is not in the pipeline file any more. "
        f"Send it again with 'aiops deliveries retry {delivery.id}'"
    ]
    assert [row.state for row in done.deliveries if row.id == delivery.id] == ["dead"]


def test_a_dead_report_of_a_fault_is_not_told_again(tmp_path):
    bad = KEEP.replace("        with Path", "        raise UserError('line is dead')\n        with Path")
    bad = bad.replace("import Notifier,", "import Notifier, UserError,")

    done = run_pipeline(
        PIPELINE + "    notifiers: ['./keep.py:Keep']\n", {"shop.log": CRASH, "keep.py": bad}, tmp_path
    )

    assert [report.title for report in done.fault_reports] == ["aiops itself: notifier keep"]
    assert [(row.report.kind, row.state) for row in done.deliveries] == [("incident", "dead")]


FOLLOWED = """\
from aiops_core import Action, Outcome, Plan

class Opened(Action):
    def plan(self, incident, analysis, change):
        return Plan("open", "open")

    def act(self, plan):
        return Outcome("done", "opened", final=False)
"""


def test_a_follow_up_whose_workers_died_is_told(tmp_path):
    text = PIPELINE + "    actions: [{uses: './opened.py:Opened', mode: auto}]\n"
    run_pipeline(text, {"shop.log": CRASH, "opened.py": FOLLOWED}, tmp_path)
    with Store.open(tmp_path / "state") as store:
        store.queue.hasten(("follow",), utc_now().replace(year=9999))
    used_up(tmp_path, "follow")

    done = run_pipeline(text, {}, tmp_path)

    assert [report.text for report in done.fault_reports] == [
        "action opened: what became of run 1 is not looked at any more: "
        "its worker ended without an answer, 5 times"
    ]
