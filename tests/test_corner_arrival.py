"""Corner cases 52 to 57: traces that arrive in pieces."""

import logging
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from corner_scene import JAVA, PLAIN, PYTHON, all_detectors, cri

from aiops_core.pipeline import Surroundings, load
from aiops_core.runner import Runner
from aiops_core.store import Store
from aiops_core.text.blocks import Cutter

AIOPS = Path(sys.executable).parent / "aiops"


PIPELINE = """\
state: ./state
pipelines:
  p:
    sources: [{uses: file, with: {paths: [./logs/app.log], start: beginning}}]
    detectors: [python, java, levels]
"""


class Scene:
    """A log file that a pipeline follows, and what came of it so far."""

    def __init__(self, directory):
        self.directory = directory
        self.log = directory / "logs" / "app.log"
        self.log.parent.mkdir()
        (directory / "pipeline.yaml").write_text(PIPELINE)

    def append(self, text):
        with self.log.open("a") as log:
            log.write(text)

    @property
    def incidents(self):
        with Store.open(self.directory / "state") as store:
            return [store.incidents.get(one.id) for one in store.incidents.list(limit=100)]

    @property
    def events(self):
        """The stored events in the order they were told."""
        found = [event for incident in self.incidents for event in incident.events]
        return sorted(found, key=lambda event: event.read_at)

    @property
    def offsets(self):
        """Where reading would start again in each generation of the file."""
        with Store.open(self.directory / "state") as store:
            points = store.checkpoints("p", "file").values()
            return sorted(point.position["offset"] for point in points if "offset" in point.position)

    def wait_until(self, is_so):
        deadline = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < deadline, [event.block for event in self.events]
            time.sleep(0.02)

    def wait_for_events(self, count):
        self.wait_until(lambda: sum(incident.count for incident in self.incidents) >= count)

    @contextmanager
    def running(self):
        """Run the pipeline in this process; stop it as SIGTERM does."""
        surroundings = Surroundings(logger=logging.getLogger(str(self.directory)))
        loaded = load(self.directory / "pipeline.yaml", surroundings=surroundings)
        runner = Runner(loaded, surroundings.stopping, ballast=0, logger=surroundings.logger)
        thread = threading.Thread(target=runner.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            surroundings.stopping.set()
            thread.join(15)

    @contextmanager
    def killed(self):
        """Run the pipeline in a process of its own; end it with SIGKILL."""
        with (self.directory / "run.log").open("ab") as log:
            run = subprocess.Popen([AIOPS, "run"], cwd=self.directory, stdout=log, stderr=log)
        try:
            yield
        finally:
            run.send_signal(signal.SIGKILL)
            run.wait()


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def halves(trace, word):
    """Cut a trace inside a line, behind the given word."""
    at = trace.index(word) + len(word)
    return trace[:at], trace[at:]


def test_case_52_a_trace_that_two_reads_cut_inside_a_line_is_one_event(scene):
    first, second = halves(PYTHON, "/srv/shop/pay")

    with scene.running():
        scene.append(PLAIN + first)
        scene.wait_until(lambda: scene.offsets == [len(PLAIN)])
        scene.append(second + PLAIN)
        scene.wait_for_events(1)

    (event,) = scene.events
    assert (event.message, len(event.frames)) == ("card of ada refused", 2)
    assert (event.start, event.end, event.block) == (len(PLAIN), len(PLAIN + PYTHON), PYTHON)


def test_case_53_a_trace_that_a_rotation_cuts_is_told_by_each_half(scene):
    first, second = JAVA[: JAVA.index("Caused")], JAVA[JAVA.index("Caused") :]

    with scene.running():
        scene.append(PLAIN + first)
        scene.wait_until(lambda: scene.offsets == [len(PLAIN)])
        scene.log.rename(scene.log.with_name("app.log.1"))
        scene.append(second + PLAIN)
        scene.wait_for_events(2)

    events = sorted(scene.events, key=lambda event: event.type, reverse=True)
    assert [(event.type, event.block) for event in events] == [
        ("java.lang.IllegalStateException", first),
        ("java.io.IOException", second),
    ]
    assert [event.start for event in events] == [len(PLAIN), 0]


def test_case_54_a_trace_that_goes_on_after_a_silence_is_two_events_the_second_marked(scene):
    first, second = JAVA[: JAVA.index("Caused")], JAVA[JAVA.index("Caused") :]

    with scene.running():
        scene.append(PLAIN + first)
        scene.wait_for_events(1)
        scene.append(second + PLAIN)
        scene.wait_for_events(2)

    one, other = scene.events
    assert (one.start, one.end) == (len(PLAIN), len(PLAIN + first))
    assert (other.start, other.end) == (len(PLAIN + first), len(PLAIN + JAVA))
    assert other.attributes["continuation_of"] == one.key


def after_silences(*parts):
    """Feed parts with a silence after each; return (start, start of what it goes on from) of each claim."""
    cutter, claims = Cutter(all_detectors.__wrapped__().grammar, 0), []  # one that knows no trace yet
    for part in parts:
        claims += cutter.feed(part.encode())[0]
        claims += cutter.flush()
    return [(claim.start, claim.continues) for claim in claims]


def test_case_54_a_trace_that_containers_carry_goes_on_after_a_silence_too():
    first, second = ("".join(map(cri, half.splitlines())) for half in halves(JAVA, "Main.java:9)\n"))

    assert after_silences(first, second) == [(0, None), (len(first), 0)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (JAVA, JAVA.replace("shelf", "box")),
        (PYTHON, PYTHON.replace("ada", "bob")),
        (JAVA, PYTHON),
        ("ERROR one\n", "ERROR other\n"),
    ],
)
def test_case_54_an_error_after_a_silence_does_not_go_on_from_another(one, other):
    assert after_silences(one, other) == [(0, None), (len(one), None)]


def test_case_55_a_trace_at_the_end_of_a_file_is_told_after_a_second_of_silence(scene):
    with scene.running():
        scene.append(PLAIN)
        scene.wait_until(lambda: scene.offsets == [len(PLAIN)])
        began = time.monotonic()
        scene.append(PYTHON)
        scene.wait_for_events(1)
        waited = time.monotonic() - began

    (event,) = scene.events
    assert (event.message, event.block) == ("card of ada refused", PYTHON)
    assert waited < 4  # one second of silence; the rest is left to a slow machine


@pytest.mark.parametrize("word", ["last):\n", "cart.py", "raise Card", "Refused:"])
def test_case_56_a_stop_in_the_middle_of_a_trace_leaves_it_whole(scene, word):
    first, second = halves(PYTHON, word)

    with scene.running():
        scene.append(PLAIN + first)
        scene.wait_until(lambda: scene.offsets == [len(PLAIN)])
    scene.append(second + PLAIN)
    with scene.running():
        scene.wait_for_events(1)
        scene.wait_until(lambda: scene.offsets == [len(PLAIN + PYTHON + PLAIN)])

    (incident,) = scene.incidents
    assert (incident.count, incident.event.block) == (1, PYTHON)


def test_case_57_a_kill_in_the_middle_of_a_trace_leaves_it_whole(scene):
    first, second = halves(PYTHON, "raise Card")

    scene.append(PLAIN + first)
    with scene.killed():
        scene.wait_until(lambda: (scene.directory / "state" / "aiops.db").exists() and scene.offsets)
        assert scene.offsets == [len(PLAIN)]
    scene.append(second + PLAIN)
    with scene.running():
        scene.wait_for_events(1)
        scene.wait_until(lambda: scene.offsets == [len(PLAIN + PYTHON + PLAIN)])

    (incident,) = scene.incidents
    assert (incident.count, incident.event.block) == (1, PYTHON)
