"""Many files, much news, old files: what a host has in abundance."""

import errno
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiops_source_file import FileConfig, FileSource
from aiops_source_file.inotify import Inotify

from aiops_core import Context, UserError

MANY = 10_000


@pytest.fixture
def few_handles():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_handles")
def test_case_39_40_ten_thousand_files_are_followed_with_512_handles(tmp_path, tail, append, monkeypatch):
    monkeypatch.undo()  # scans are as far apart as they are outside of tests
    for n in range(MANY):
        (tmp_path / f"{n}.log").write_bytes(b"same first line\n")
    source, began = tail(start="beginning"), time.monotonic()
    source.start()
    source.wait(lambda: len(source.batches) > MANY)
    first = time.monotonic() - began

    for n in range(MANY):
        append(tmp_path / f"{n}.log", b"%d\n" % n)
    source.wait(lambda: len(source.batches) > 2 * MANY, seconds=20)
    second = time.monotonic() - began - first

    assert sorted(source.lines) == sorted(["same first line"] * MANY + list(map(str, range(MANY))))
    assert source.messages == []
    assert first + second < 20, "two seconds on an idle machine"


@pytest.mark.full
@pytest.mark.usefixtures("few_handles")
def test_ten_thousand_idle_files_take_two_percent_of_a_core(tmp_path, tail, monkeypatch):
    monkeypatch.undo()
    for n in range(MANY):
        (tmp_path / f"{n}.log").write_bytes(b"same first line\n")
    source = tail(start="beginning").start()
    source.wait(lambda: len(source.batches) > MANY)
    time.sleep(20)

    before, began = time.process_time(), time.monotonic()
    time.sleep(60)

    assert (time.process_time() - before) / (time.monotonic() - began) < 0.02


def test_case_45_more_news_than_the_system_keeps_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("aiops_source_file.pace.RESCAN", 60.0)
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 50_000:
        pytest.skip("the queue of inotify is too long here to be filled in a test")
    messages = []
    context = Context(name="file", directory=tmp_path)
    context.logger.addFilter(lambda record: messages.append(record.getMessage()) or False)
    for name in ("a.log", "b.log", "c.log"):
        (tmp_path / name).write_bytes(b"")
    batches = FileSource(FileConfig(paths=["*.log"], start="beginning"), context).source({})
    (tmp_path / "a.log").write_bytes(b"1\n")
    while next(batches).data != b"1\n":
        pass

    with (tmp_path / "a.log").open("ab", 0) as first, (tmp_path / "b.log").open("ab", 0) as second:
        for _ in range(limit // 2 + 10):
            first.write(b"a\n")
            second.write(b"b\n")
    (tmp_path / "c.log").write_bytes(b"c\n")
    (tmp_path / "d.log").write_bytes(b"d\n")

    found = {}
    while len(found) < 4:
        batch = next(batches)
        if batch.data:
            found[batch.path[-5:]] = batch.data
    context.stopping.set()
    batches.close()
    context.logger.filters.clear()
    assert (found["c.log"], found["d.log"], len(found["a.log"])) == (b"c\n", b"d\n", limit + 20)
    assert messages == [
        "file: more changes than the system keeps note of: everything was looked at again. "
        "Raise fs.inotify.max_queued_events if that happens often."
    ]


def test_case_45_a_system_that_tells_no_changes_is_polled(tmp_path, tail, append, monkeypatch):
    def refuse(self):
        raise OSError(errno.EMFILE, "Too many open files")

    def refuse_too(news):
        raise OSError("no threads left")

    monkeypatch.setattr(Inotify, "__init__", refuse)
    monkeypatch.setattr("aiops_source_file.wakeups.Watched", refuse_too)
    log = tmp_path / "a.log"
    log.write_text("")
    source = tail().start()

    append(log, "1\n")

    source.wait_for("1")
    assert source.messages == [
        "file: changes are not told by this system (Too many open files; no threads left). Everything is "
        "looked at every second instead, or less often when there are many files. "
        "Raise fs.inotify.max_user_instances, or the limit of open files, for quicker news."
    ]


def test_case_46_a_file_is_read_whatever_its_length(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_bytes(b"")
    source = tail().start()

    append(log, "1")
    time.sleep(0.05)
    assert source.data == b""
    append(log, "\n")
    source.wait_for("1")
    source.stop()
    for n in range(1, 4):
        append(log, "x" * 600 + f"{n}\n")
        source.start()
        source.wait(lambda n=n: source.data.endswith(b"x%d\n" % n))
        source.stop()

    assert len(source.lines) == 4
    assert len(source.streams) == 1


def test_case_47_files_nobody_wrote_to_for_long_are_read_from_their_end(tmp_path, tail, append):
    old, young = tmp_path / "old.log", tmp_path / "young.log"
    for log in (old, young):
        log.write_text("before\n")
    os.utime(old, (time.time() - 7200,) * 2)
    source = tail(start="beginning", ignore_older="1h").start()
    source.wait_for("before")

    append(old, "after\n")

    source.wait_for("before", "after")


def test_case_47_an_old_file_moved_in_later_is_read_from_its_end(tmp_path, tail, append):
    source = tail(start="beginning", ignore_older="1h").start()
    moved = tmp_path / "moved"
    moved.write_text("before\n")
    os.utime(moved, (time.time() - 7200,) * 2)

    moved.rename(tmp_path / "a.log")
    source.wait(lambda: any(batch.path.endswith("a.log") for batch in source.batches))
    append(tmp_path / "a.log", "after\n")

    source.wait_for("after")


def test_case_47_a_file_being_read_is_never_dropped_for_its_age(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail(start="beginning", ignore_older="1h").start()
    source.wait_for("1")

    os.utime(log, (time.time() - 7200,) * 2)
    time.sleep(0.3)
    source.stop()
    append(log, "2\n")
    os.utime(log, (time.time() - 7200,) * 2)
    source.start()

    source.wait_for("1", "2")


@pytest.mark.parametrize("ahead", [1e6, None])
def test_case_47_a_clock_that_is_wrong_hides_no_line(tmp_path, tail, append, ahead):
    when = 0 if ahead is None else time.time() + ahead
    log = tmp_path / "a.log"
    log.write_text("1\n")
    os.utime(log, (when, when))
    source = tail(start="beginning").start()
    source.wait_for("1")

    append(log, "2\n")
    os.utime(log, (when, when))
    source.wait_for("1", "2")
    source.stop()
    log.rename(tmp_path / "a.log.1")
    log.write_text("3\n")
    source.start()

    source.wait_for("1", "2", "3")


def test_old_compressed_files_are_left_alone_by_a_run_once(tmp_path, tail):
    import gzip

    old = tmp_path / "a.log.1.gz"
    old.write_bytes(gzip.compress(b"old\n"))
    os.utime(old, (time.time() - 7200,) * 2)
    (tmp_path / "a.log").write_text("young\n")

    assert tail("*", ignore_older="1h").run_once().lines == ["young"]


def test_changes_can_be_gathered_before_they_are_read(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("")
    source = tail(debounce="400ms").start()
    time.sleep(0.1)

    for n in range(10):
        append(log, f"{n}\n")
        time.sleep(0.01)

    source.wait(lambda: len(source.lines) == 10)
    assert len(source.chunks) <= 2


def test_what_ended_long_ago_and_is_gone_is_forgotten(tmp_path, tail, append, monkeypatch):
    monkeypatch.setattr("aiops_source_file.pace.TIDY_FIRST", 0.0)
    for name in ("a.log", "b.log", "c.log"):
        (tmp_path / name).write_text(f"{name}\n")
    source = tail(start="beginning", rotate_wait="20ms").start()
    source.wait(lambda: len(source.lines) == 3)
    streams = {batch.path[-5:]: batch.stream for batch in source.chunks}
    (tmp_path / "a.log").unlink()
    (tmp_path / "b.log").rename(tmp_path / "b")
    source.wait(lambda: sum(position.get("ended", False) for position in source.positions.values()) == 2)
    source.stop()
    for name in ("a.log", "b.log", "c.log"):
        source.positions[streams[name]] |= {"seen_at": time.time() - 8 * 86400}

    source.start()
    source.wait(lambda: source.positions[streams["a.log"]] == {})
    source.stop()
    source.start()
    append(tmp_path / "c.log", "more\n")

    source.wait(lambda: source.lines[3:] == ["more"])
    assert source.positions[streams["b.log"]]["ended"]
    assert source.messages == []


def test_windows_is_refused_in_plain_words(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    source = FileSource(FileConfig(paths=["a.log"]), Context(name="file", directory=tmp_path))

    with pytest.raises(UserError) as refusal:
        source.start()

    assert str(refusal.value) == (
        "file: the file source does not run on Windows, where a file has no inode to know it by after a rename. "
        "Run aiops in WSL, or send the logs to the http or syslog source of one that runs on Linux."
    )


def test_the_package_can_be_imported_where_there_is_no_posix():
    program = (
        "import sys, os\n"
        "import aiops_core.component, pydantic\n"
        "sys.modules['resource'] = sys.modules['fcntl'] = None\n"
        "for name in ('O_NONBLOCK', 'O_NOCTTY', 'pread', 'preadv'): delattr(os, name)\n"
        "from aiops_source_file import FileConfig, FileSource\n"
        "sys.platform = 'win32'\n"
        "try: FileSource(FileConfig(paths=['a'])).start()\n"
        "except Exception as error: print(type(error).__name__)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("UserError\n", "")
