"""The recorder and its faults, in real pipelines."""

from contextlib import contextmanager
from pathlib import Path

import pytest
from acme_press import PressFaults, PressRecorder
from acme_press.recorder import PressRecorderConfig
from acme_press.records import MARK, Record

from aiops_core import Context, UserError
from aiops_core.testing import Bench, contract

HERE = Path(__file__).parent.parent
JAM = Record(1_795_248_007_000, 2, 204, "paper jam\ntray: 2\nsheet: 118")
DONE = Record(1_795_248_090_000, 0, 1, "job 4711 resumed")
YAML = (HERE / "example.yaml").read_text()


@contextmanager
def recorder(directory):
    (directory / "press.rec").write_bytes(MARK + JAM.packed() + DONE.packed() + JAM.packed())
    yield Bench({"path": "press.rec"}, directory=directory)


test_recorder = contract(PressRecorder, recorder, example=HERE / "example.yaml")
test_faults = contract(
    PressFaults, good=[JAM.lines().decode()], bad=["FAULT ##F is no fault\n"], example=HERE / "example.yaml"
)


def batches(directory, positions=None):
    source = PressRecorder(PressRecorderConfig(path="press.rec"), Context(directory=directory, once=True))
    source.start()
    return list(source.source(positions or {}))


def test_a_record_becomes_lines_a_person_can_read():
    assert JAM.lines().decode() == (
        "2026-11-21 08:00:07.000+00:00 FAULT ##F204 paper jam\n    tray: 2\n    sheet: 118\n"
    )


def test_half_a_record_waits_for_its_end(tmp_path):
    (tmp_path / "press.rec").write_bytes(MARK + DONE.packed() + JAM.packed()[:-1])

    assert [batch.data for batch in batches(tmp_path)] == [DONE.lines()]


def test_reading_goes_on_behind_the_record_that_was_committed(tmp_path):
    (tmp_path / "press.rec").write_bytes(MARK + DONE.packed() + JAM.packed())
    [(_, _), (byte, position), _] = batches(tmp_path)[0].marks

    [rest] = batches(tmp_path, {"press.rec": position})

    assert (rest.data, rest.offset) == (JAM.lines(), byte)


def test_a_file_of_something_else_is_refused_and_one_that_is_not_there_yet_awaited(tmp_path):
    assert batches(tmp_path) == []
    (tmp_path / "press.rec").write_text("no recorder")

    with pytest.raises(UserError, match=r"press\.rec: is no file of a press recorder"):
        batches(tmp_path)


def test_damaged_records_are_told_and_what_comes_after_is_read(tmp_path):
    file = tmp_path / "press.rec"
    file.write_bytes(MARK + JAM.packed() + b"\xff" * 40)
    [batch] = batches(tmp_path)
    file.write_bytes(file.read_bytes() + DONE.packed())

    [rest] = batches(tmp_path, {"press.rec": batch.end})

    assert (batch.data, rest.data) == (JAM.lines(), DONE.lines())


def test_two_jams_are_one_incident_with_readings_that_differ(run_pipeline):
    other = Record(JAM.milliseconds + 9_000, 2, 204, "paper jam\ntray: 1\nsheet: 7")

    result = run_pipeline(YAML, files={"press.rec": MARK + JAM.packed() + DONE.packed() + other.packed()})

    assert [(incident.title, incident.count) for incident in result.incidents] == [("F204: paper jam", 2)]
