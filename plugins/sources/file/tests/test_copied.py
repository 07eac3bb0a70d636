"""Copied and truncated, or compressed, while much is unread, or nobody looks."""

import gzip
import itertools
import os
import shutil
import threading
import time

import pytest
from aiops_source_file.files import Files
from aiops_source_file.generations import Generations
from aiops_source_file.live import Live
from aiops_source_file.reader import Reader
from aiops_source_file.siblings import Siblings


def compress(path):
    """Compress a file as gzip does."""
    status, packed = path.stat(), path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()


def copy_and_truncate(log, name):
    shutil.copy(log, log.with_name(name))
    os.truncate(log, 0)


def rename_and_create(log, name):
    log.rename(log.with_name(name))
    log.touch()


def lines(name, count):
    return b"".join(b"%s %012d\n" % (name, number) for number in range(count))


@pytest.mark.parametrize("pattern", ["a.log", "a.log*"])
def test_what_is_unread_of_a_file_that_was_copied_truncated_and_compressed_is_read(
    tmp_path, steps, append, pattern
):
    log, old = tmp_path / "a.log", lines(b"old", 300_000)
    log.write_bytes(old)
    source = steps(paths=[pattern], start="beginning")
    while not source.data:
        source.read()

    copy_and_truncate(log, "a.log.1")
    append(log, "new\n")
    source.look()
    compress(tmp_path / "a.log.1")
    source.look()
    source.read_until(b"new\n")

    assert source.data == old + b"new\n"
    assert source.messages == []


@pytest.mark.parametrize("rotate", [rename_and_create, copy_and_truncate])
@pytest.mark.parametrize("is_stopped", [False, True], ids=["running", "stopped"])
@pytest.mark.parametrize("pattern", ["a.log", "a.log*", "."])
def test_what_was_compressed_before_anybody_looked_is_read_whatever_names_the_files(
    tmp_path, tail, append, hold_updates, pattern, is_stopped, rotate
):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail(pattern, start="beginning").start()
    source.wait_for("1")
    if is_stopped:
        source.stop()
    else:
        hold = hold_updates(source)

    for number in range(2, 5):
        append(log, f"{number}\n")
        rotate(log, f"a.log.{5 - number}")
        compress(tmp_path / f"a.log.{5 - number}")
    append(log, "5\n")
    source.start() if is_stopped else hold.set()

    source.wait(lambda: sorted(source.lines) == ["1", "2", "3", "4", "5"])


def test_a_file_that_was_compressed_before_its_turn_is_read_though_its_handle_was_needed(
    tmp_path, steps, monkeypatch
):
    monkeypatch.setattr("aiops_source_file.follower._handle_limit", lambda: 1)
    old = lines(b"old", 100_000)
    logs = {tmp_path / "a.log", tmp_path / "b.log"}
    for log in logs:
        log.write_bytes(old)
    source = steps(paths=["*.log*"], start="beginning", rotate_wait="0s")
    while not (batch := source.read()).data:
        pass
    (other,) = (log for log in logs if str(log) != batch.path)

    rename_and_create(other, f"{other.name}.1")
    compress(tmp_path / f"{other.name}.1")
    source.look()
    while len(source.data) < 2 * len(old) and not source.messages:
        source.read()

    assert source.messages == []
    assert sorted(source.data.splitlines()) == sorted(2 * old.splitlines())


def test_a_file_that_is_truncated_and_grows_again_while_others_are_read_is_not_taken_for_the_old_one(
    tmp_path, steps, append
):
    logs = [tmp_path / "a.log", tmp_path / "b.log"]
    old, new = lines(b"old", 300_000), lines(b"new", 300_000)
    for log in logs:
        log.write_bytes(old)
    source = steps(paths=["*.log"], start="beginning")
    batches = (batch for batch in iter(source.read, None) if batch.data)
    for _ in range(3):
        next(batches)  # of one file twice, of the other once: it is read next

    for log in logs:
        copy_and_truncate(log, f"{log.name}.1")
        append(log, new)
    while len(source.data) < 2 * len(old + new) and not source.messages:
        source.read()

    assert source.messages == []
    assert sorted(source.data.splitlines()) == sorted((2 * (old + new)).splitlines())


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("rest", ["", "3\n"])
@pytest.mark.parametrize("before", ["", "1\n"], ids=["new", "truncated"])
def test_what_an_empty_file_held_before_it_was_copied_and_truncated_is_read(
    tmp_path, tail, append, hold_updates, before, rest, packed
):
    log = tmp_path / "a.log"
    log.write_text(before)
    source = tail("a.log", start="beginning").start()
    source.wait(lambda: source.data == before.encode())
    os.truncate(log, 0)
    live = source.component._follower._live
    source.wait(lambda: str(log) in live.at_path and live.at_path[str(log)].unread_since)
    hold = hold_updates(source)

    append(log, "2\n")
    copy_and_truncate(log, "a.log.1")
    if packed:
        compress(tmp_path / "a.log.1")
    append(log, rest)
    os.utime(log, (time.time() + 1,) * 2)  # the clock of a file system moves in steps of some milliseconds
    hold.set()

    source.wait(lambda: source.data.decode() == f"{before}2\n{rest}")


STEPS = [
    *((Files, name) for name in ("open", "get", "status")),
    *((Siblings, name) for name in ("rotated", "compressed")),
    *((Reader, name) for name in ("fetch", "read")),
    *((Generations, name) for name in ("replace", "recognise", "update")),
    (Live, "begin"),
]


class Killed(Exception):
    """What ends a source without a word."""


class Rotator:
    """A writer that rotates before certain steps of a source, as it may at any time; one step is its last."""

    def __init__(self, log, way, at, last):
        self.log, self.way, self.at, self.last = log, way, at, last
        self.written = [b"same\n", b"1\n"]
        self.steps = 0
        log.parent.mkdir()
        log.write_bytes(b"".join(self.written))

    def rotate(self):
        number = len(self.written) // 2 + 1
        self.way(self.log, f"a.log.{100 - number}")
        self.write(b"same\n")  # the number comes later: what is there first is all alike

    def write(self, line):
        self.written.append(line)
        with self.log.open("ab") as out:
            out.write(line)

    def step(self):
        self.steps += 1
        if len(self.written) % 2:
            self.write(b"%d\n" % (len(self.written) // 2 + 1))
        if self.steps in self.at:
            self.rotate()
        if self.steps == self.last:
            raise Killed


@pytest.fixture
def before_each_step(monkeypatch):
    """Return a function that lets another be called before each step of a source from now on."""
    acting = []

    def hook(owner, name):
        then = getattr(owner, name)

        def step(*given, **named):
            for act in acting:
                act()
            return then(*given, **named)

        monkeypatch.setattr(owner, name, step)

    for owner, name in STEPS:
        hook(owner, name)

    def before_each_step(act):
        acting[:] = [act] if act else []

    return before_each_step


def then_compress(rotate):
    def rotate_and_compress(log, name):
        rotate(log, name)
        compress(log.with_name(name))

    return rotate_and_compress


@pytest.mark.parametrize("killed_after", [None, 0, 3])
@pytest.mark.parametrize("gap", [1, 5])
@pytest.mark.parametrize(
    "way",
    [
        pytest.param(copy_and_truncate, id="copied"),
        pytest.param(rename_and_create, id="renamed"),
        pytest.param(then_compress(copy_and_truncate), id="copied and compressed"),
        pytest.param(then_compress(rename_and_create), id="renamed and compressed"),
    ],
)
def test_rotations_at_any_step_of_finding_one_out_lose_nothing(
    tmp_path, steps, monkeypatch, before_each_step, way, gap, killed_after
):
    monkeypatch.setattr("aiops_source_file.pace.RESCAN", 0.01)
    monkeypatch.setattr("aiops_source_file.follower.PAUSE", 0.0)
    for first in itertools.count(1):
        log = tmp_path / str(first) / "a.log"
        last = None if killed_after is None else first + gap + killed_after
        writer = Rotator(log, way, {first, first + gap}, last)
        source = steps(paths=[str(log)], start="beginning")
        source.read_until(b"1\n")
        writer.rotate()
        before_each_step(writer.step)
        deadline = threading.Timer(10, source.context.stopping.set)
        deadline.start()
        while len(source.data) < sum(map(len, writer.written)):
            try:
                source.read()
            except Killed:
                source.restart()
            except StopIteration:
                break
        before_each_step(None)
        deadline.cancel()
        source.close()

        assert sorted(source.data.splitlines(True)) == sorted(writer.written), first
        assert source.messages == []
        if writer.steps < first:
            break


@pytest.mark.parametrize("is_deleted", [False, True], ids=["renamed", "deleted"])
def test_a_copy_that_is_made_right_after_a_rotation_is_not_read_again(tmp_path, steps, append, is_deleted):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = steps(paths=["a.log"], start="beginning")
    source.read_until(b"1\n")
    if is_deleted:
        log.unlink()
    else:
        log.rename(tmp_path / "a.log.1")
    log.write_text("2\n")
    source.look()
    source.read_until(b"2\n")

    shutil.copy(log, tmp_path / "a.log.2")
    source.look()
    os.truncate(log, 0)
    append(log, "3\n")
    source.read_until(b"3\n")

    assert source.data == b"1\n2\n3\n"
