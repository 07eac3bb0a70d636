import errno
import logging
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiops_source_file.troubles import Troubles


@pytest.fixture
def short_pauses(monkeypatch):
    monkeypatch.setattr("aiops_source_file.troubles.FIRST_PAUSE", 0.1)


@contextmanager
def as_nobody():
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_directory():
    """A directory that other users may enter too."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def give_to_nobody(*paths):
    for path in paths if os.geteuid() == 0 else ():
        os.chown(path, 65534, 65534)


@pytest.mark.usefixtures("short_pauses")
def test_files_of_a_directory_that_cannot_be_looked_into_are_not_given_up(open_directory, tail, append):
    sub = open_directory / "logs"
    sub.mkdir()
    logs = [sub / f"a{number}.log" for number in range(150)]
    for log in logs:
        log.write_text("early\n")
    give_to_nobody(sub, *logs)
    source = tail(f"{sub}/*.log", start="beginning").start()
    source.wait_for(*["early"] * 150)

    with as_nobody():
        sub.chmod(0o300)
        source.wait(lambda: len(source.messages) >= 3)  # looked at several times, in vain
        for log in logs:
            append(log, "late\n")
            log.rename(f"{log}.1")
        sub.chmod(0o755)
        source.wait_for(*["early"] * 150, *["late"] * 150)
        source.stop()


@pytest.mark.usefixtures("short_pauses")
def test_a_file_that_is_renamed_while_it_may_not_be_read_is_found_when_it_may(
    open_directory, tail, append, monkeypatch
):
    monkeypatch.setattr("aiops_source_file.generations._ROTATION_TIME", 0.05)
    open_directory.chmod(0o777)
    log = open_directory / "a.log"
    log.write_text("1\n")
    give_to_nobody(log)
    source = tail(f"{open_directory}/*.log", start="beginning").start()
    source.wait_for("1")
    source.stop()
    append(log, "2\n")
    log.chmod(0)

    with as_nobody():
        source.start()
        source.wait(lambda: source.messages)
        renamed = log.rename(f"{log}.1")
        source.wait(lambda: len(source.messages) >= 4)
        renamed.chmod(0o644)
        source.wait_for("1", "2")
        source.stop()


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("target", ["file", "directory"])
def test_case_38_an_unreadable_file_is_told_and_goes_on_where_it_stopped(
    open_directory, tail, append, target
):
    sub = open_directory / "logs"
    sub.mkdir()
    log = sub / "a.log"
    log.write_text("1\n")
    source = tail(f"{sub}/*.log", start="beginning").start()
    source.wait_for("1")
    source.stop()
    append(log, "2\n")
    forbidden = log if target == "file" else sub
    forbidden.chmod(0)
    if os.geteuid() == 0:
        os.chown(forbidden, 65534, 65534)

    with as_nobody():
        source.start()
        source.wait(lambda: len(source.messages) >= 1)
        forbidden.chmod(0o755)
        source.wait_for("1", "2")
        source.stop()

    told = [message for message in source.messages if "cannot be read" in message]
    assert told[0].endswith("(Permission denied). It is tried again in 0.1 s and goes on where it stopped.")
    assert len(source.streams) == 1


def test_case_38_a_file_that_is_open_goes_on_without_leave(open_directory, tail):
    log = open_directory / "a.log"
    log.write_text("1\n")
    if os.geteuid() == 0:
        os.chown(log, 65534, 65534)

    with log.open("a") as writer, as_nobody():
        source = tail(f"{open_directory}/*.log", start="beginning").start()
        source.wait_for("1")
        log.chmod(0)
        writer.write("2\n")
        writer.flush()
        source.wait_for("1", "2")
        source.stop()

    assert source.messages == []


@pytest.mark.usefixtures("short_pauses")
def test_a_read_error_is_told_and_reading_goes_on(tmp_path, tail, append, monkeypatch):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail(start="beginning").start()
    source.wait_for("1")
    read, broken = os.preadv, {"now": True}

    def preadv(fd, views, offset):
        if broken["now"]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(fd, views, offset)

    monkeypatch.setattr(os, "preadv", preadv)
    append(log, "2\n")
    source.wait(lambda: len(source.messages) == 2)
    broken["now"] = False

    source.wait_for("1", "2")
    assert source.messages == [
        f"{log}: cannot be read (Input/output error). It is tried again in 0.1 s and goes on where it stopped.",
        f"{log}: cannot be read (Input/output error). It is tried again in 0.2 s and goes on where it stopped.",
        f"{log}: can be read again",
    ]


def test_too_many_open_files_only_mean_fewer_open_files(tmp_path, tail, append, monkeypatch):
    for n in range(30):
        (tmp_path / f"{n}.log").write_text("first\n")
    real, opened = os.open, []

    def scarce(path, flags, *rest, **named):
        if str(path).endswith(".log"):
            held = [fd for fd in opened if Path(f"/proc/self/fd/{fd}").exists()]
            if len(held) >= 10:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            opened[:] = [*held, real(path, flags, *rest, **named)]
            return opened[-1]
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", scarce)
    source = tail(start="beginning").start()

    source.wait(lambda: len(source.lines) == 30)
    assert source.messages == []


def test_a_file_that_vanishes_before_it_is_read_is_no_trouble(tmp_path, tail, monkeypatch):
    (tmp_path / "a.log").write_text("1\n")
    (tmp_path / "b.log").write_text("2\n")
    real = os.open

    def vanishing(path, flags, *rest, **named):
        if str(path).endswith("a.log"):
            (tmp_path / "a.log").unlink(missing_ok=True)
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", vanishing)
    source = tail(start="beginning", rotate_wait="50ms").start()

    source.wait_for("2")
    source.stop()
    assert source.messages == []


def test_a_trouble_is_told_again_after_growing_pauses(caplog):
    now = [0.0]
    troubles = Troubles(logging.getLogger("test"), now=lambda: now[0])
    error = OSError(errno.EACCES, "Permission denied")

    for second in range(130):
        now[0] = float(second)
        troubles.report("/x", error)

    assert len(caplog.records) == 8
    assert troubles.is_waiting("/x")


def test_case_45_a_directory_that_cannot_be_watched_is_scanned_instead(tmp_path, tail, append, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("aiops_source_file.inotify.Inotify.add", refuse)
    log = tmp_path / "a.log"
    log.write_text("")
    source = tail().start()

    append(log, "1\n")

    source.wait_for("1")
    assert source.messages == [
        f"{tmp_path}: cannot be watched (No space left on device); it is looked at every second instead. "
        "Raise fs.inotify.max_user_watches or max_user_instances for quicker news."
    ]
