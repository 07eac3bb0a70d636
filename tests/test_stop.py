"""A stop ends the process in time whatever a model does, and the next start goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from response_scene import claude, says, trace

from aiops_core.store import Store
from aiops_core.testing.messages_api import Message, MessagesApi
from aiops_core.testing.pipeline import run_pipeline

KEY = "sk-ant-dummy-00000000000000000000"
PIPELINE = """\
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log], start: beginning}}}}]
    detectors: [python]
    analyzers:
{analyzers}
    policy: {{max_age: 3650d}}
"""
SLOW = """\
import time
from aiops_core import Analysis, Analyzer

class Slow(Analyzer):
    def analyze(self, incident, evidence):
        self.context.stopping.set()
        time.sleep(0.3)
        return Analysis("slow", "s", "r")
"""
RUN = "import sys, aiops_core.runner as runner; runner.GRACE = float(sys.argv.pop(1)); "
RUN += "from aiops_core.cli import main; main()"


def stopped(directory: Path, api: MessagesApi, grace: float) -> tuple[int, float, str]:
    """Start a run, stop it while it waits for the model; return exit code, seconds and what it said."""
    (directory / "pipeline.yaml").write_text(PIPELINE.format(analyzers=claude(api)))
    (directory / "shop.log").write_text(trace())
    command = [sys.executable, "-c", RUN, str(grace), "run"]
    environment = {**os.environ, "KEY": KEY}
    run = subprocess.Popen(command, cwd=directory, stderr=subprocess.PIPE, text=True, env=environment)
    wait_for_a_call(api)
    began = time.monotonic()
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate(timeout=grace + 50)
    return run.returncode, time.monotonic() - began, said


@pytest.mark.parametrize("grace", [0.5, pytest.param(10.0, marks=pytest.mark.full)])
def test_a_stop_does_not_wait_for_a_model_and_the_next_start_asks_again(tmp_path, grace):
    with MessagesApi([Message(delay=60.0)], usual=says()) as api:
        code, seconds, said = stopped(tmp_path, api, grace)
        with Store.open(tmp_path / "state") as store:
            jobs = [(job.kind, job.state, job.attempts) for job in store.queue.jobs()]
        text = (tmp_path / "pipeline.yaml").read_text()
        again = run_pipeline(text, {}, tmp_path, environment={"KEY": KEY})
        calls = len(api.calls)

    assert (code, [job for job in jobs if job[0] == "run"]) == (0, [("run", "ready", 0)])
    assert grace <= seconds < 30  # the answer would take a minute
    assert "run run:1: not done in time; the next start goes on with it" in said
    assert "Traceback" not in said
    assert (calls, [report.analysis.analyzer for report in again.reports]) == (2, ["claude"])


def test_a_stop_lets_what_ends_in_time_come_to_its_end(tmp_path):
    text = PIPELINE.format(analyzers="      - ./slow.py:Slow")

    done = run_pipeline(text, {"shop.log": trace(), "slow.py": SLOW}, tmp_path)

    with Store.open(tmp_path / "state") as store:
        assert (done.error, store.runs.get(1).state, store.runs.analysis(1).title) == ("", "done", "slow")


def wait_for_a_call(api: MessagesApi) -> None:
    deadline = time.monotonic() + 30
    while not api.requests:
        assert time.monotonic() < deadline
        time.sleep(0.02)


ONCE_ONLY = """\
from aiops_core import LogBatch, Source

class OnceOnly(Source):
    resumes = {resumes}

    def source(self, positions):
        data = b"before\\nTraceback (most recent call last):\\n  File 'a.py', line 1, in f\\nValueError: open\\n"
        data = data.replace(b"'a.py'", b'"a.py"')
        yield LogBatch("s", data, ((0, {{}}), (len(data), {{"at": 1}})))
        self.context.stopping.set()
"""


@pytest.mark.parametrize(("resumes", "count"), [(True, 0), (False, 1)])
def test_what_is_open_at_a_stop_is_closed_where_it_cannot_be_read_again(tmp_path, resumes, count):
    text = "pipelines: {p: {sources: [{uses: './once.py:OnceOnly'}], detectors: [python]}}"

    done = run_pipeline(text, {"once.py": ONCE_ONLY.format(resumes=resumes)}, tmp_path)

    with Store.open(tmp_path / "state") as store:
        assert (done.error, len(store.incidents.list())) == ("", count)


LAST_WORDS = """\
from aiops_core import LogBatch, Source

class LastWords(Source):
    resumes = False

    def source(self, positions):
        self.context.stopping.set()
        for number in range(20):
            data = b'2026-11-21 07:00:00,000 ERROR shop.s%c: sold out\\n' % (97 + number)
            yield LogBatch(f"s{number}", data, ((0, {}), (len(data), {"at": 1})), ended=True)
"""


def test_what_a_source_still_hands_over_at_a_stop_is_taken(tmp_path):
    text = "pipelines: {p: {sources: [{uses: './last.py:LastWords'}], detectors: [levels]}}"

    done = run_pipeline(text, {"last.py": LAST_WORDS}, tmp_path)

    with Store.open(tmp_path / "state") as store:
        assert (done.error, len(store.incidents.list())) == ("", 20)
