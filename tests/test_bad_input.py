"""Bad input and bad luck: the process stays up, says what is wrong once, and loses nothing."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest
from cli_scene import AIOPS, CRASH

from aiops_core.errors import StateHeld
from aiops_core.store import Store, hold
from aiops_core.testing import run_pipeline

PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./*.log]}}]
    detectors: [python]
"""


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def causes(result):
    return {fault.cause: fault.count for fault in result.faults}


# -- files --------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path):
    (tmp_path / "locked.log").symlink_to(tmp_path / "locked.log")

    result = run_pipeline(PIPELINE, {"shop.log": CRASH}, tmp_path)

    assert result.error == ""
    assert [incident.count for incident in result.incidents] == [1]


def test_bytes_that_are_lost_are_logged_each_time_and_told_once(tmp_path):
    text = PIPELINE.replace("[./*.log]", "[./*.log], backlog: 1KiB")
    noise = "nothing to see\n" * 1000

    result = run_pipeline(text, {"a.log": noise + CRASH, "b.log": noise + CRASH}, tmp_path)

    lost = [line for line in result.log.splitlines() if " bytes from byte 0 on are lost" in line]
    assert [incident.count for incident in result.incidents] == [2]
    assert causes(result) == {"file: bytes are lost": 2}
    assert [report.title for report in result.fault_reports] == ["aiops itself: file: bytes are lost"]
    assert [line.split()[0] for line in lost] == ["ERROR", "WARNING"]


def test_a_file_that_vanishes_while_it_is_read_loses_nothing_that_was_read(tmp_path):
    first = run_pipeline(PIPELINE, {"shop.log": CRASH, "gone.log": CRASH}, tmp_path)
    (tmp_path / "gone.log").unlink()

    second = run_pipeline(PIPELINE, {}, tmp_path)

    assert [incident.count for incident in first.incidents] == [2]
    assert (second.error, [incident.count for incident in second.incidents]) == ("", [2])


def test_bytes_that_are_no_utf_8_are_shown_as_replacement_characters(tmp_path):
    log = b"\x80\xff caf\xe9\n" + CRASH.encode().replace(b"no price", b"no pr\xeece") + b"\x00\x01\n"

    result = run_pipeline(PIPELINE, {"shop.log": log}, tmp_path)

    assert (result.error, result.faults) == ("", ())
    assert [event.message for event in result.events] == ["no pr\ufffdce"]


def test_a_line_of_ten_megabytes_is_read_through_and_what_follows_is_found(tmp_path):
    log = b"x" * 5_000_000 + b" ValueError: in it " + b"y" * 5_000_000 + b"\n" + CRASH.encode()

    result = run_pipeline(PIPELINE, {"shop.log": log}, tmp_path)

    (event,) = [event for event in result.events if event.message == "no price"]
    assert (result.error, result.faults) == ("", ())
    assert event.start == len(log) - len(CRASH)
    assert max(len(event.block) for event in result.events) <= 256 * 1024


def test_an_error_line_of_ten_megabytes_is_kept_within_the_cap(tmp_path):
    text = PIPELINE.replace("[python]", "[levels]")
    log = "2026-01-01 10:00:00 ERROR shop: " + "z" * 10_000_000 + "\nall is well\n"

    result = run_pipeline(
        text.replace("shop:\n", "shop:\n    policy: {max_age: 9000d}\n", 1), {"shop.log": log}, tmp_path
    )

    (incident,) = result.incidents
    assert (result.error, result.faults, incident.count) == ("", (), 1)
    assert len(incident.event.block) <= 256 * 1024
    assert sum(path.stat().st_size for path in (tmp_path / "state").glob("aiops.db*")) < 4_000_000


# -- components that raise ----------------------------------------------------------------------

DETECTOR = """\
from aiops_core import LogDetector


class Bad(LogDetector):
    triggers = ("boom",)

    def detect(self, block):
        raise KeyError("not there")
"""


def test_the_events_of_a_detector_that_raises_are_counted_and_the_fault_is_told_once(tmp_path):
    text = PIPELINE.replace("[python]", "[python, './bad.py:Bad']")

    result = run_pipeline(text, {"shop.log": "boom\nwell\n" * 3 + CRASH, "bad.py": DETECTOR}, tmp_path)

    assert sorted(incident.count for incident in result.incidents) == [1, 3]
    assert set(causes(result)) == {"detector bad: KeyError"}
    assert [(report.title, report.text) for report in result.fault_reports] == [
        (
            "aiops itself: detector bad failed",
            "detector bad raised KeyError: 'not there'. Its lines are counted unread",
        )
    ]


def test_the_lines_of_a_detector_whose_cut_raises_are_counted(tmp_path):
    bad = DETECTOR.replace(
        "    def detect", "    def cut(self, lines, hit):\n        raise IndexError\n\n    def detect"
    )

    result = run_pipeline(
        PIPELINE.replace("[python]", "[python, './bad.py:Bad']"),
        {"shop.log": "boom\nwell\n" * 3 + CRASH, "bad.py": bad},
        tmp_path,
    )

    assert sorted(incident.count for incident in result.incidents) == [1, 3]
    assert set(causes(result)) == {"detector bad: IndexError", "detector bad: KeyError"}


SOURCE = """\
from pathlib import Path

from aiops_core import LogBatch, Source


class Flaky(Source):
    starts = []

    def source(self, positions):
        self.starts.append(dict(positions))
        data = Path(self.context.directory, "flaky.txt").read_bytes()
        at = positions.get("flaky", {"at": 0})["at"]
        marks = ((0, {"at": at}), (len(data) - at, {"at": len(data)}))
        yield LogBatch("flaky", data[at:], marks, offset=at, path="flaky.txt", byte_counter="at")
        if len(self.starts) == 1:
            raise ConnectionError("the wire broke")
        self.context.stopping.wait(2.0)  # a trace is whole when nothing followed for a second
        self.context.stopping.set()
"""


def test_a_source_that_raises_is_told_and_started_again_without_counting_twice(tmp_path):
    (tmp_path / "flaky.py").write_text(SOURCE)
    (tmp_path / "flaky.txt").write_text(CRASH + "well\n")
    (tmp_path / "pipeline.yaml").write_text(
        "pipelines:\n  shop:\n    sources: ['./flaky.py:Flaky']\n    detectors: [python]\n"
    )

    done = subprocess.run([AIOPS, "run"], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    with Store.open(tmp_path / "state") as store:
        assert [incident.count for incident in store.incidents.list()] == [1]
        (fault,) = store.faults()
    assert done.returncode == 0, done.stderr
    assert fault.text == "source flaky raised ConnectionError: the wire broke. It is started again"


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('cannot think')",
        "return 'nonsense'",
        "return 5",
        "return None",
        "return Analysis(title='', summary='', root_cause='', confidence=float('nan'))",
    ],
)
def test_an_analyzer_that_raises_or_answers_nonsense_never_keeps_the_notification_back(tmp_path, body):
    bad = (
        "from aiops_core import Analysis, Analyzer\n\n\nclass Bad(Analyzer):\n"
        f"    def analyze(self, incident, evidence):\n        {body}\n"
    )

    result = run_pipeline(
        PIPELINE + "    analyzers: ['./bad.py:Bad']\n", {"shop.log": CRASH, "bad.py": bad}, tmp_path
    )

    (report,) = result.reports
    assert result.error == ""
    assert report.incident.message == "no price"
    assert report.analysis.confidence == 0
    assert "ValueError: no price" in report.incident.event.block


def test_a_notifier_that_raises_is_told_and_the_others_deliver(tmp_path):
    bad = (
        "from aiops_core import Notifier\n\n\nclass Bad(Notifier):\n    attempts = 1\n\n"
        "    def notify(self, report):\n        raise OSError('line is dead')\n"
    )

    result = run_pipeline(
        PIPELINE + "    notifiers: ['./bad.py:Bad']\n", {"shop.log": CRASH, "bad.py": bad}, tmp_path
    )

    assert [report.kind for report in result.reports] == ["incident"]
    assert causes(result) == {"notifier bad fails": 1}
    assert {(row.target, row.state, row.error) for row in result.deliveries} == {
        ("bad", "failed", "OSError: line is dead")
    }


# -- two runners --------------------------------------------------------------------------------


def test_a_second_runner_is_refused_at_once_and_told_by_whom_while_other_commands_work(tmp_path):
    run_pipeline(PIPELINE, {"shop.log": CRASH}, tmp_path)
    holder = subprocess.Popen(
        [AIOPS, "run"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert any("watching file" in line for line in iter(holder.stderr.readline, ""))
        began = time.monotonic()
        with pytest.raises(StateHeld) as refused, hold(tmp_path / "state", purpose="second"):
            pass
        took = time.monotonic() - began
        second = subprocess.run([AIOPS, "run"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        listed = subprocess.run(
            [AIOPS, "incidents", "list"], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
    finally:
        holder.send_signal(signal.SIGTERM)
        holder.communicate(timeout=60)

    told = f"state directory {tmp_path}/state is held by process {holder.pid} (aiops run) on "
    assert str(refused.value).startswith(told)
    assert took < 5  # at once, on a busy machine
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr.startswith(told)
    assert second.stderr.endswith("Stop it or use another state directory.\n")
    assert (listed.returncode, "ValueError: no price" in listed.stdout) == (0, True)
    assert holder.returncode == 0


# -- a full disk --------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system that is soon full."""
    directory = tmp_path / "disk"
    directory.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(directory)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let root mount a tmpfs")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(path):
    with path.open("wb") as file:
        try:
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        except OSError:
            pass


def test_ingest_waits_for_a_full_disk_goes_on_and_loses_nothing(small_disk, tmp_path):
    state = small_disk / "state"
    text = PIPELINE.replace("paths: [./*.log]", "paths: [./*.log], start: beginning")
    (tmp_path / "pipeline.yaml").write_text(f"state: {state}\nlogging: {{format: json}}\n{text}")
    log = tmp_path / "shop.log"
    log.write_text("")
    runner = subprocess.Popen(
        [AIOPS, "run"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    said = []
    reader = threading.Thread(target=lambda: said.extend(map(json.loads, runner.stderr)))
    reader.start()

    def told(text):
        return any(text in line["message"] for line in said)

    def counted():
        with Store.open(state) as store:
            return sum(incident.count for incident in store.incidents.list())

    try:
        assert wait_until(lambda: told("watching file"))
        append(log, 1)
        assert wait_until(lambda: counted() == 1)
        fill(small_disk / "filler")
        for _ in range(200):
            append(log, 20)
            if told("full"):
                break
            fill(small_disk / "filler2")
            time.sleep(0.05)
        assert told("full"), said[-3:]
        assert runner.poll() is None
        wanted = log.read_text().count("ValueError")
        (small_disk / "filler").unlink()
        (small_disk / "filler2").unlink(missing_ok=True)
        assert wait_until(lambda: counted() >= wanted, 40), (counted(), wanted, said[-3:])
    finally:
        runner.send_signal(signal.SIGTERM)
        runner.wait(20)
        reader.join(5)
    assert counted() == wanted
    assert runner.returncode == 0


def append(log, times):
    with log.open("a") as file:
        for index in range(times):
            file.write(CRASH.replace("no price", f"no price {'x' * 3000}") + f"well {index}\n")
