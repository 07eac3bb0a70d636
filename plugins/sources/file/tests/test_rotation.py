import gzip
import os
import shutil
import subprocess
import sys
import time

import pytest
from aiops_source_file.follower import Follower
from aiops_source_file.siblings import Siblings

WRITER = """
import sys, time
path, count, reopen = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "reopen"
log = open(path, "a", buffering=1)
for i in range(count):
    if reopen and i % 50 == 0:
        log.close()
        log = open(path, "a", buffering=1)
    log.write(f"line {i:06d}\\n")
    if i % 20 == 0:
        time.sleep(0.001)
"""


def numbered(*numbers):
    return [f"line {n:06d}" for n in numbers]


@pytest.fixture
def logrotate(tmp_path):
    program = shutil.which("logrotate", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if program is None:
        pytest.skip("logrotate is not installed")

    def rotate(log, *options):
        config = tmp_path / "rotate.conf"
        config.write_text(f"{log} {{\n rotate 9\n missingok\n {' '.join(o + chr(10) for o in options)} }}\n")
        config.chmod(0o600)
        status = tmp_path / "rotate.status"
        subprocess.run([program, "-f", "-s", status, config], check=True, capture_output=True)

    return rotate


@pytest.fixture
def writer():
    running = []

    def write(log, count, mode="keep"):
        running.append(subprocess.Popen([sys.executable, "-c", WRITER, log, str(count), mode]))
        return running[-1]

    yield write
    for process in running:
        process.kill()
        process.wait()


def test_case_5_6_a_renamed_file_is_read_to_its_end_before_the_new_one(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")

    with log.open("a") as old:
        log.rename(tmp_path / "a.log.1")
        old.write("2\n")
        old.flush()
        log.write_text("3\n")
        source.wait_for("1", "2", "3")
        old.write("late\n")
        old.flush()
        source.wait_for("1", "2", "3", "late")

    assert len(source.streams) == 2


def test_what_is_unread_of_a_renamed_file_comes_first_without_events_too(
    tmp_path, tail, monkeypatch, hold_updates
):
    monkeypatch.setattr("aiops_source_file.wakeups.Wakeups.watch", lambda *_: None)
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    hold = hold_updates(source)

    with log.open("a") as old:
        log.rename(tmp_path / "a.log.1")
        log.write_text("3\n")
        old.write("2\n" * 2_000_000)
    hold.set()

    source.wait(lambda: b"3\n" in source.data)
    assert source.data == b"1\n" + b"2\n" * 2_000_000 + b"3\n"


def test_a_rotated_file_that_a_listing_missed_is_found_by_the_next(tmp_path, tail, monkeypatch, hold_updates):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    hold = hold_updates(source)
    missed = []

    def miss_once(self, path, then=Siblings.rotated):
        return then(self, path) if missed else missed.append(path) or []

    log.rename(tmp_path / "a.log.2")
    (tmp_path / "a.log.1").write_text("2\n")
    log.write_text("3\n")
    monkeypatch.setattr(Siblings, "rotated", miss_once)
    hold.set()

    source.wait(lambda: sorted(source.lines) == ["1", "2", "3"])


def test_case_9_a_renamed_file_that_still_matches_is_not_read_again(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log*", start="beginning").start()
    source.wait_for("1")

    log.rename(tmp_path / "a.log.1")
    log.write_text("2\n")
    source.wait_for("1", "2")
    append(tmp_path / "a.log.1", "late\n")

    source.wait_for("1", "2", "late")
    assert source.batches[-1].path.endswith("a.log.1")


def test_case_7_the_unterminated_last_line_of_a_renamed_file_comes_after_the_wait(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning", rotate_wait="200ms").start()
    source.wait_for("1")

    with log.open("a") as file:
        file.write("torn")
    log.rename(tmp_path / "a.log.1")

    source.wait_for("1", "torn")
    assert (source.batches[-1].ended, source.batches[-1].attributes) == (True, {"partial": "true"})


def test_case_8_a_deleted_file_is_read_to_its_end(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning", rotate_wait="200ms").start()
    source.wait_for("1")

    with log.open("a") as file:
        file.write("2\ntorn")
        log.unlink()

    source.wait_for("1", "2", "torn")
    assert source.batches[-1].ended


def test_a_stream_that_ends_without_a_torn_line_says_so_with_an_empty_batch(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning", rotate_wait="200ms").start()
    source.wait_for("1")

    log.unlink()

    source.wait(lambda: source.batches[-1].ended)
    assert source.batches[-1].data == b""
    assert source.batches[-1].stream == source.streams[0]
    assert source.batches[-1].end["ended"] is True


def test_case_20_a_deleted_and_recreated_file_is_read_from_its_beginning(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("same\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("same")

    log.unlink()
    log.write_text("same\n")

    source.wait_for("same", "same")
    assert len(source.streams) == 2


@pytest.mark.parametrize(
    "rewritten",
    [["other"], ["line1", "line3"], ["line1", "LINE2", "more"], ["new", "and", "longer", "than", "before"]],
    ids=["shorter", "same size", "same beginning, longer", "other beginning, longer"],
)
def test_case_13_14_a_truncated_and_rewritten_file_is_read_from_its_start(tmp_path, tail, rewritten):
    log = tmp_path / "a.log"
    log.write_text("line1\nline2\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("line1", "line2")

    log.write_text("".join(line + "\n" for line in rewritten))

    source.wait_for("line1", "line2", *rewritten)


def test_a_rewritten_file_is_known_by_its_end_where_the_beginning_is_the_same(tmp_path, tail):
    log = tmp_path / "a.log"
    banner = ["=" * 99] * 20
    log.write_text("\n".join([*banner, "old"]) + "\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for(*banner, "old")

    log.write_text("\n".join([*banner, "new", "more"]) + "\n")

    source.wait_for(*banner, "old", *banner, "new", "more")


def test_a_truncation_while_the_source_is_stopped_is_noticed(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("line1\nline2\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("line1", "line2")
    source.stop()

    log.write_text("line1\nLINE2\nline3\n")
    source.start()

    source.wait_for("line1", "line2", "line1", "LINE2", "line3")


def test_case_12_a_torn_line_that_a_truncation_took_is_told_all_the_same(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    with log.open("a") as file:
        file.write("torn")
    generation = next(iter(source.component._follower._live.by_key.values()))
    source.wait(lambda: generation.partial == b"torn")

    log.write_text("2\n")

    source.wait(lambda: source.data == b"1\ntorn2\n")
    torn = next(batch for batch in source.chunks if batch.data == b"torn")
    assert (torn.ended, torn.attributes, torn.offset) == (True, {"partial": "true"}, 2)


def test_case_19_zero_bytes_that_a_truncation_under_a_writer_leaves_are_dropped(tmp_path, tail):
    log = tmp_path / "a.log"
    with log.open("wb") as writer:
        writer.write(b"one\n" * 2000)
        writer.flush()
        source = tail("a.log", start="beginning").start()
        source.wait(lambda: len(source.lines) == 2000)

        os.truncate(log, 0)
        writer.write(b"two at the old place\n")
        writer.flush()

        source.wait(lambda: source.lines[2000:] == ["two at the old place"])
    assert source.batches[-1].offset == 8000


def test_case_19_a_file_a_glob_finds_is_no_binary_for_a_hole_behind_its_first_line(tmp_path, tail):
    (tmp_path / "a.log").write_bytes(b"one\n" + bytes(5000) + b"two\n")

    source = tail("*.log", start="beginning").start()

    source.wait(lambda: source.data.replace(b"\0", b"") == b"one\ntwo\n")


def test_case_10_the_unread_rest_of_a_file_renamed_while_stopped_is_read_first(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    source.stop()

    append(log, "2\n")
    log.rename(tmp_path / "a.log.2")
    (tmp_path / "a.log.1").write_text("3\n")
    log.write_text("4\n")
    source.start()

    source.wait_for("1", "2", "3", "4")


def test_a_file_that_is_copied_and_truncated_before_its_turn_is_read_from_the_copy(
    tmp_path, tail, append, monkeypatch
):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    first_scan = Follower._first_scan

    def scan_and_rotate(follower):
        yield from first_scan(follower)
        for number, line in enumerate(["2\n", "3\n"], 1):
            shutil.copy(log, f"{log}.{number}")
            os.truncate(log, 0)
            append(log, line)

    monkeypatch.setattr(Follower, "_first_scan", scan_and_rotate)
    source = tail("a.log", start="beginning").start()

    source.wait_for("1", "2", "3")


def test_old_rotated_files_beside_the_first_one_seen_are_left_alone(tmp_path, tail):
    log = tmp_path / "a.log"
    (tmp_path / "a.log.1").write_text("old\n")
    os.utime(tmp_path / "a.log.1", (1, 1))
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")

    (tmp_path / "a.log.1").rename(tmp_path / "a.log.2")
    log.rename(tmp_path / "a.log.1")
    log.write_text("2\n")

    source.wait_for("1", "2")


def test_case_17_a_reused_inode_is_no_reason_to_skip_a_new_file(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("old content\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("old content")
    source.stop()

    inode = log.stat().st_ino
    log.write_text("quite another file, and longer\n")
    assert log.stat().st_ino == inode
    source.start()

    source.wait_for("old content", "quite another file, and longer")
    assert len(source.streams) == 2


def test_case_44_fifty_quick_rotations_lose_and_repeat_nothing(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("")
    source = tail("a.log", start="beginning").start()

    for i in range(50):
        for n in range(i, 0, -1):
            (tmp_path / f"a.log.{n}").rename(tmp_path / f"a.log.{n + 1}")
        log.rename(tmp_path / "a.log.1")
        with log.open("w") as file:
            file.writelines(f"line {i * 200 + n:06d}\n" for n in range(200))

    source.wait(lambda: len(source.lines) >= 10_000)
    assert sorted(source.lines) == numbered(*range(10_000))


def test_a_rotation_by_copy_while_stopped_loses_nothing(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    source.stop()

    append(log, "2\n")
    shutil.copy(log, tmp_path / "a.log.1")
    log.write_text("3\n")
    source.start()

    source.wait_for("1", "2", "3")


def test_case_12_what_a_rotation_by_copy_saved_is_read_from_the_copy(tmp_path, tail, append, hold_updates):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log*", start="beginning").start()
    source.wait_for("1")
    hold = hold_updates(source)

    append(log, "2\ntorn")
    shutil.copy(log, tmp_path / "a.log.1")
    log.write_text("3\n")
    hold.set()

    source.wait(lambda: b"3" in source.data)
    assert source.data.startswith(b"1\n2\n")
    assert source.data.count(b"2\n") == 1


def test_a_copy_that_was_made_before_the_last_lines_were_written_is_not_read(tmp_path, tail, append):
    log = tmp_path / "a.log"
    long_lines = [f"{n} {'x' * 100}" for n in range(20)]
    log.write_text("\n".join(long_lines) + "\n")
    source = tail("a.log*", start="beginning").start()
    source.wait_for(*long_lines)

    shutil.copy(log, tmp_path / "a.log.1")
    append(log, "between copy and truncation\n")
    source.wait_for(*long_lines, "between copy and truncation")
    log.write_text("new\n")

    source.wait_for(*long_lines, "between copy and truncation", "new")
    source.wait(lambda: any(batch.path.endswith(".1") for batch in source.batches))
    source.stop()
    source.start()
    append(log, "newer\n")
    source.wait_for(*long_lines, "between copy and truncation", "new", "newer")


def test_every_copy_between_two_looks_is_read(tmp_path, tail, append, hold_updates):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    hold = hold_updates(source)

    append(log, "2\n")
    shutil.copy(log, tmp_path / "a.log.2")
    log.write_text("3\n")
    shutil.copy(log, tmp_path / "a.log.1")
    log.write_text("4\n")
    hold.set()

    source.wait_for("1", "2", "3", "4")


def test_a_rotated_file_whose_position_was_not_committed_is_read_again(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    source.stop()
    log.rename(tmp_path / "a.log.2")
    (tmp_path / "a.log.1").write_text("2\n")
    os.utime(tmp_path / "a.log.1", (time.time() - 1, time.time() - 1))
    source.positions[source.streams[0]] = {**source.positions[source.streams[0]], "seen_at": time.time() - 2}
    log.write_text("3\n")
    source.start()
    source.wait_for("1", "2", "3")
    source.stop()

    del source.positions[source.streams[1]]
    source.start()

    source.wait_for("1", "2", "3", "2")


def test_a_rotated_file_that_was_never_committed_is_found_although_the_one_before_it_moved_on(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    os.utime(log, (time.time() - 20, time.time() - 20))
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    log.rename(tmp_path / "a.log.1")
    log.write_text("3\n")
    source.wait_for("1", "3")
    source.stop()

    first = source.positions[source.streams[0]]
    source.positions[source.streams[0]] = {**first, "path": str(tmp_path / "a.log.1")}
    (tmp_path / "a.log.1").rename(tmp_path / "a.log.2")
    (tmp_path / "a.log.1").write_text("2\n")
    os.utime(tmp_path / "a.log.1", (time.time() - 10, time.time() - 10))
    source.start()

    source.wait_for("1", "3", "2")


def rotate_chain(log, text):
    """Rename as logrotate does, every rotated file one number up, and begin a new log."""
    rotated = sorted(log.parent.glob(f"{log.name}.*"), key=lambda path: -int(path.suffix[1:]))
    for path in rotated:
        path.rename(path.with_suffix(f".{int(path.suffix[1:]) + 1}"))
    log.rename(f"{log}.1")
    log.write_text(text)


@pytest.mark.parametrize("packed", [False, True])
def test_what_came_after_a_file_last_known_by_a_rotated_name_is_read_after_a_stop(
    tmp_path, tail, append, packed
):
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1")
    source.stop()
    append(log, "unread\n")
    rotate_chain(log, "2\n")
    source.start()
    source.wait_for("1", "unread", "2")
    source.stop()
    assert source.positions[source.streams[0]]["path"].endswith("a.log.1")
    del source.positions[source.streams[1]]  # killed before it was committed

    for number in range(3, 7):
        rotate_chain(log, f"{number}\n")
    if packed:
        (tmp_path / "a.log.5.gz").write_bytes(gzip.compress((tmp_path / "a.log.5").read_bytes()))
        (tmp_path / "a.log.5").unlink()
    source.start()

    source.wait(lambda: sorted(source.lines) == ["1", "2", "2", "3", "4", "5", "6", "unread"])


@pytest.mark.parametrize("start", ["beginning", "end"])
def test_a_new_file_that_was_rotated_while_nobody_looked_is_read_first(tmp_path, tail, start):
    (tmp_path / "old.log.1").write_text("old\n")
    (tmp_path / "b.log").write_text("b\n")
    (tmp_path / "a.log.9").write_text("before the first look\n")
    os.utime(tmp_path / "a.log.9", (1, 1))
    source = tail(start=start).start()
    source.wait(lambda: "paths" in source.positions)
    source.stop()

    log = tmp_path / "a.log"
    log.write_text("1\n")
    rotate_chain(log, "2\n")
    rotate_chain(log, "3\n")
    source.start()

    source.wait(lambda: source.lines[-3:] == ["1", "2", "3"])
    assert source.lines[:-3] == (["b"] if start == "beginning" else [])


def test_a_new_file_that_was_rotated_between_two_looks_is_read_first(tmp_path, tail, hold_updates):
    (tmp_path / "b.log").write_text("b\n")
    source = tail().start()
    hold = hold_updates(source)

    log = tmp_path / "a.log"
    log.write_text("1\n")
    rotate_chain(log, "2\n")
    hold.set()

    source.wait_for("1", "2")


def test_a_mere_copy_of_a_followed_file_is_not_read(tmp_path, tail, append, monkeypatch):
    monkeypatch.setattr("aiops_source_file.copies.COPY_WAIT", 0.05)
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = tail("a.log*", start="beginning").start()
    source.wait_for("1")

    shutil.copy(log, tmp_path / "a.log.1")
    source.wait(lambda: any(b.path.endswith(".1") for b in source.batches))
    append(tmp_path / "a.log.1", "own\n")

    source.wait_for("1", "own")


def test_files_that_only_begin_alike_are_all_read(tmp_path, tail, monkeypatch):
    monkeypatch.setattr("aiops_source_file.copies.COPY_WAIT", 0.05)
    log = tmp_path / "a.log"
    log.write_text("HEADER\n1\n")
    source = tail("a.log*", start="beginning").start()
    source.wait_for("HEADER", "1")

    (tmp_path / "a.log.1").write_text("HEADER\n1\n2\n")

    source.wait_for("HEADER", "1", "HEADER", "1", "2")


def test_case_22_a_swapped_symlink_is_a_rotation(tmp_path, tail, append):
    (tmp_path / "0.txt").write_text("z1\n")
    link = tmp_path / "cur.log"
    link.symlink_to("0.txt")
    source = tail("cur.log", start="beginning").start()
    source.wait_for("z1")

    append(tmp_path / "0.txt", "z2\n")
    (tmp_path / "1.txt").write_text("o1\n")
    (tmp_path / "new").symlink_to("1.txt")
    (tmp_path / "new").rename(link)
    source.wait_for("z1", "z2", "o1")
    append(tmp_path / "0.txt", "z3-late\n")

    source.wait_for("z1", "z2", "o1", "z3-late")


@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_logrotate_by_rename_loses_and_repeats_nothing(tmp_path, tail, logrotate, writer, pattern):
    log = tmp_path / "app.log"
    log.write_text("")
    source = tail(pattern, start="beginning").start()
    process = writer(log, 6000, "reopen")

    for count in (500, 1500, 2500):
        source.wait(lambda count=count: len(source.lines) >= count)
        logrotate(log, "create 0644")
    process.wait()

    source.wait(lambda: len(source.lines) >= 6000)
    assert sorted(source.lines) == numbered(*range(6000))


@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_case_11_logrotate_by_copytruncate_repeats_nothing(tmp_path, tail, logrotate, writer, pattern):
    log = tmp_path / "app.log"
    log.write_text("")
    source = tail(pattern, start="beginning").start()
    process = writer(log, 6000)

    for count in (500, 1500, 2500):
        source.wait(lambda count=count: len(source.lines) >= count)
        logrotate(log, "copytruncate")
    process.wait()

    # What is written between copy and truncation is on no disk: only what was quick enough saw it.
    left = b"".join(path.read_bytes() for path in tmp_path.glob("app.log*")).decode().splitlines()
    source.wait(lambda: set(left) <= set(source.lines))
    assert len(source.lines) == len(set(source.lines))
    assert set(source.lines) <= set(numbered(*range(6000)))


def test_a_rotation_under_restarts_loses_and_repeats_nothing(tmp_path, tail, logrotate, writer):
    log = tmp_path / "app.log"
    log.write_text("")
    source = tail("app.log", start="beginning").start()
    process = writer(log, 4000, "reopen")

    for count in (300, 900, 1500):
        source.wait(lambda count=count: len(source.lines) >= count)
        source.stop()
        logrotate(log, "create 0644")
        source.start()
    process.wait()

    source.wait(lambda: len(source.lines) >= 4000)
    assert sorted(source.lines) == numbered(*range(4000))


@pytest.mark.parametrize("is_stopped", [True, False])
def test_files_that_begin_with_the_same_kilobyte_are_all_read(tmp_path, tail, hold_updates, is_stopped):
    log, head = tmp_path / "a.log", "x" * 2000 + "\n"
    log.write_text(f"{head}1 and more than in the others\n")
    source = tail("a.log", start="beginning").start()
    source.wait(lambda: len(source.lines) == 2)
    release = None if is_stopped else hold_updates(source)
    if is_stopped:
        source.stop()

    log.rename(tmp_path / "a.log.3")
    (tmp_path / "a.log.2").write_text(f"{head}2\n")
    (tmp_path / "a.log.1").write_text(f"{head}3\n")
    log.write_text(f"{head}4\n")
    if release is None:
        source.start()
    else:
        release.set()

    source.wait(lambda: len(source.lines) >= 8)
    assert [line[0] for line in source.lines] == list("x1x2x3x4")


def test_the_last_of_files_that_begin_with_the_same_kilobyte_is_not_taken_for_one_before_it(tmp_path, tail):
    log, head = tmp_path / "a.log", "x" * 2000 + "\n"
    log.write_text("0\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("0")
    source.stop()

    log.rename(tmp_path / "a.log.2")
    (tmp_path / "a.log.1").write_text(f"{head}1\n")
    log.write_text(f"{head}2 and more\n")
    source.start()

    source.wait(lambda: len(source.lines) >= 5)
    assert [line[0] for line in source.lines] == list("0x1x2")
