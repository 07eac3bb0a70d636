"""Systems without inotify: watchdog tells of changes."""

import logging
import time

import pytest
from aiops_source_file.troubles import Troubles
from aiops_source_file.wakeups import Wakeups


def none_to_be_had():
    raise OSError("this system has no inotify")


@pytest.fixture
def wakeups(monkeypatch, tmp_path):
    monkeypatch.setattr("aiops_source_file.wakeups.Inotify", none_to_be_had)
    wakeups = Wakeups(Troubles(logging.getLogger("test")), lambda path: True, lambda cause, text: None)
    wakeups.open()
    wakeups.watch([str(tmp_path)])
    yield wakeups
    wakeups.stop()


def told(wakeups, path):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        wakeups.wait(1)
        if str(path) in wakeups.take():
            return True
    return False


def test_without_inotify_a_written_file_wakes_the_reader(wakeups, tmp_path):
    path = tmp_path / "app.log"

    path.write_text("one\n")

    assert told(wakeups, path)
    assert wakeups.is_rescan_due
    assert not wakeups.is_complete


def test_without_inotify_a_line_appended_later_wakes_it_again(wakeups, tmp_path):
    path = tmp_path / "app.log"
    path.write_text("one\n")
    assert told(wakeups, path)

    with path.open("a") as log:
        log.write("two\n")

    assert told(wakeups, path)
