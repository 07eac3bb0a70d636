"""Copied and truncated while much is unread, or nobody looks."""

import gzip
import os
import shutil


def copy_and_truncate(log, name, *, packed=False):
    """Rotate as copytruncate does, and as compress does after it."""
    copy = log.with_name(name)
    shutil.copy(log, copy)
    os.truncate(log, 0)
    if packed:
        status = copy.stat()
        gz = copy.with_name(f"{name}.gz")
        gz.write_bytes(gzip.compress(copy.read_bytes()))
        os.utime(gz, ns=(status.st_atime_ns, status.st_mtime_ns))
        copy.unlink()


def lines(name, count):
    return b"".join(b"%s %012d\n" % (name, number) for number in range(count))


def test_what_is_unread_of_a_file_that_was_copied_truncated_and_compressed_is_read(tmp_path, steps, append):
    log, old = tmp_path / "a.log", lines(b"old", 300_000)
    log.write_bytes(old)
    source = steps(paths=["a.log"], start="beginning")
    while not source.data:
        source.read()

    copy_and_truncate(log, "a.log.1", packed=True)
    append(log, "new\n")
    source.read_until(b"new\n")

    assert source.data == old + b"new\n"
    assert source.messages == []


def test_every_compressed_copy_between_two_looks_is_read(tmp_path, tail, append, hold_updates):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    hold = hold_updates(source)

    append(log, "2\ntorn")
    copy_and_truncate(log, "a.log.2", packed=True)
    append(log, "3\n")
    copy_and_truncate(log, "a.log.1", packed=True)
    append(log, "4\n")
    hold.set()

    source.wait(lambda: source.data == b"1\n2\ntorn3\n4\n")


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
