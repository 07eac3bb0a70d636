"""A rotation that moves files to another directory, as logrotate does with `olddir`."""

import gzip
import shutil

import pytest


@pytest.fixture
def old(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "old").mkdir()
    return tmp_path / "old"


@pytest.fixture
def stopped(tmp_path, tail, old):
    """Return a source that read one line of a file and was stopped, and the file."""

    def stop(rotated_to):
        log = tmp_path / "logs/a.log"
        log.write_text(f"1{'.' * 2000}\n")
        source = tail("logs/a.log", start="beginning", rotated_to=rotated_to).start()
        source.wait(lambda: source.lines)
        return source.stop(), log

    return stop


def numbers(source):
    return [line.rstrip(".") for line in source.lines]


def renamed(log, old):
    log.rename(old / "a.log.1")
    log.write_text("3\n")


def twice_renamed(log, old):
    log.rename(old / "a.log.2")
    (old / "a.log.1").write_text("3\n")
    log.write_text("4\n")


def renamed_and_compressed(log, old):
    with gzip.open(old / "a.log.2.gz", "wb") as packed:
        packed.write(log.read_bytes())
    (old / "a.log.1").write_text("3\n")
    log.unlink()
    log.write_text("4\n")


def copied_and_truncated(log, old):
    shutil.copy(log, old / "a.log.1")
    log.write_text("3\n")


def named_by_date(log, old):
    log.rename(old / "a.log-20260131")
    log.write_text("3\n")


@pytest.mark.parametrize("where", ["../old", "{}/old"])
@pytest.mark.parametrize(
    "rotate", [renamed, twice_renamed, renamed_and_compressed, copied_and_truncated, named_by_date]
)
def test_what_was_moved_elsewhere_while_stopped_is_read_first(tmp_path, stopped, append, old, rotate, where):
    source, log = stopped([where.format(tmp_path)])

    append(log, "2\n")
    rotate(log, old)
    source.start()

    expected = ["1", "2", "3", "4"][: len(list(old.iterdir())) + 2]
    source.wait(lambda: len(source.lines) >= len(expected))
    assert numbers(source.stop()) == expected
    assert source.messages == []


@pytest.mark.parametrize("rotate", [renamed, twice_renamed, renamed_and_compressed])
def test_what_is_moved_elsewhere_while_it_is_followed_is_read_once(
    tmp_path, tail, old, append, rotate, hold_updates
):
    log = tmp_path / "logs/a.log"
    log.write_text("")
    source = tail("logs/a.log", start="beginning", rotated_to=["../old"]).start()
    append(log, f"1{'.' * 2000}\n")
    source.wait(lambda: source.lines)

    release = hold_updates(source)
    append(log, "2\n")
    rotate(log, old)
    release.set()

    expected = ["1", "2", "3", "4"][: len(list(old.iterdir())) + 2]
    source.wait(lambda: len(source.lines) >= len(expected))
    assert numbers(source.stop()) == expected
    assert numbers(source.start().stop()) == expected


def test_what_lies_elsewhere_from_before_the_first_start_is_left_alone(tmp_path, tail, old):
    (old / "a.log.1").write_text("0\n")
    (tmp_path / "logs/a.log").write_text("1\n")

    source = tail("logs/a.log", start="beginning", rotated_to=["../old"]).start()

    source.wait_for("1")
    assert source.stop().lines == ["1"]


def test_a_run_once_finds_what_was_moved_elsewhere(stopped, append, old):
    source, log = stopped(["../old"])

    append(log, "2\n")
    twice_renamed(log, old)
    source.run_once()

    assert numbers(source) == ["1", "2", "3", "4"]
