import shutil

LINE = b"x" * 1023 + b"\n"


def test_case_11_what_was_truncated_unread_without_a_copy_is_told_as_lost(tmp_path, steps):
    log = tmp_path / "a.log"
    log.write_bytes(LINE * 3000)
    source = steps(paths=["a.log"], start="beginning")
    source.read_until(LINE)

    read = len(source.data)
    log.write_bytes(b"new\n")
    source.read_until(b"new\n")

    lost = 3000 * 1024 - read
    assert source.messages == [
        f"{log}: {lost} bytes from byte {read} on are lost: it was truncated before they were read."
    ]
    assert source.context.state["gaps"]["bytes"] == lost
    assert source.context.state["gaps"]["latest"][0]["offset"] == read


def test_case_11_what_was_written_between_copy_and_truncation_is_told_as_lost(tmp_path, steps, append):
    log = tmp_path / "a.log"
    log.write_bytes(LINE * 3000)
    shutil.copy(log, tmp_path / "a.log.1")
    append(log, LINE * 10)
    source = steps(paths=["a.log"], start="beginning")
    source.read_until(LINE)

    log.write_bytes(b"new\n")
    source.read_until(b"new\n")

    assert source.data == LINE * 3000 + b"new\n"
    assert source.messages == [
        f"{log}: 10240 bytes from byte 3072000 on are lost: they were written after it was copied and before it "
        "was truncated."
    ]


def test_what_was_read_before_it_was_truncated_is_no_loss(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("1\n2\n")
    source = tail("a.log", start="beginning").start()
    source.wait_for("1", "2")

    log.write_text("3\n")

    source.wait_for("1", "2", "3")
    assert (source.messages, source.context.state) == ([], {})


def test_a_file_that_vanished_while_stopped_with_unread_bytes_is_told(tmp_path, steps, tail, monkeypatch):
    monkeypatch.setattr("aiops_source_file.generations._ROTATION_TIME", 0.2)
    log = tmp_path / "a.log"
    log.write_bytes(LINE * 3000)
    first = steps(paths=["a.log"], start="beginning")
    first.read_until(LINE)
    position = dict(first.source._follower._live.at_path[str(log)].position())
    first.close()

    log.unlink()
    (tmp_path / "filler").write_text("keeps the inode from being used again")
    log.write_text("new\n")
    source = tail("a.log", start="beginning")
    source.positions = {"stream": position, "paths": {"paths": ["a.log"]}}
    source.start()

    source.wait(lambda: source.messages)
    assert source.messages == [
        f"{log}: {3000 * 1024 - position['offset']} bytes from byte {position['offset']} on are lost: it vanished "
        f"while nobody looked, and is not in {tmp_path}. If it was moved, name where in rotated_to."
    ]
    assert source.lines == ["new"]


def one_handle(monkeypatch):
    """Let no file but the one that is being read stay open."""
    monkeypatch.setattr("aiops_source_file.follower._handle_limit", lambda: 1)


def read_one_of_two(directory, source):
    """Return the path of the file that was found and not read."""
    batch = source.read()
    while not batch.data:
        batch = source.read()
    return directory / ("b.log" if batch.path.endswith("a.log") else "a.log")


def test_a_file_that_is_deleted_after_it_was_found_is_read_all_the_same(tmp_path, steps):
    (tmp_path / "a.log").write_text("a\n")
    (tmp_path / "b.log").write_text("b\n")
    source = steps(paths=["*.log"], start="beginning")

    read_one_of_two(tmp_path, source).unlink()
    source.read()

    assert sorted(source.data.decode().split()) == ["a", "b"]


def test_a_file_deleted_before_it_could_be_opened_again_is_told(tmp_path, steps, monkeypatch):
    one_handle(monkeypatch)
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_bytes(LINE * 3000)
    source = steps(paths=["*.log"], start="beginning", rotate_wait="0s")

    other = read_one_of_two(tmp_path, source)
    other.unlink()
    while not source.messages:
        source.read()

    assert source.messages == [
        f"{other}: 3072000 bytes from byte 0 on are lost: it was deleted before they were read."
    ]


def test_a_file_that_was_moved_before_it_was_read_is_read_and_not_told_as_lost(tmp_path, steps, monkeypatch):
    one_handle(monkeypatch)
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_bytes(LINE * 3000)
    (tmp_path / "old").mkdir()
    source = steps(paths=["**/*.log"], start="beginning", rotate_wait="0s")

    other = read_one_of_two(tmp_path, source)
    other.rename(tmp_path / "old" / other.name)
    while len(source.data) < 2 * 3000 * len(LINE):
        source.read()
    (tmp_path / "new.log").write_text("new\n")
    source.read_until(b"new\n")

    assert source.messages == []
    assert source.data.count(LINE) == 6000


def test_the_inode_of_a_file_that_was_never_read_hides_none_that_was_rotated_elsewhere(
    tmp_path, steps, monkeypatch
):
    one_handle(monkeypatch)
    first, deleted, rotated = (tmp_path / name / "app.log" for name in "123")
    for log in (first, deleted, rotated):
        log.parent.mkdir()
    rotated.write_text("before\n")
    source = steps(paths=["*/app.log"], start="beginning", rotate_wait="0s")
    source.read_until(b"before\n")
    first.write_text("first\n")
    deleted.write_text("lost\n")
    source.read_until(b"first\n")

    rotated.rename(f"{rotated}.2")
    deleted.write_text("between\n")
    deleted.rename(f"{rotated}.1")  # as good as deleted, and its inode used again at once
    rotated.write_text("after\n")
    source.read_until(b"after\n")
    while not source.messages:
        source.read()

    assert source.data == b"before\nfirst\nbetween\nafter\n"
    assert source.messages == [
        f"{deleted}: 5 bytes from byte 0 on are lost: it was deleted before they were read."
    ]


def test_the_inode_of_an_empty_file_of_an_earlier_run_hides_none_that_was_rotated_elsewhere(tmp_path, tail):
    empty, rotated = tmp_path / "1" / "app.log", tmp_path / "2" / "app.log"
    for log in (empty, rotated):
        log.parent.mkdir()
    empty.touch()
    rotated.write_text("before\n")
    source = tail("*/app.log").start()
    source.wait(lambda: len(source.positions) == 3)
    source.stop()

    rotated.rename(f"{rotated}.2")
    empty.write_text("between\n")
    empty.rename(f"{rotated}.1")
    rotated.write_text("after\n")
    source.start()

    source.wait_for("between", "after")


def test_a_backlog_can_be_limited_and_what_is_skipped_is_told(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_bytes(b"".join(b"line %06d\n" % n for n in range(10_000)))
    source = tail("a.log", start="beginning", backlog="1KB").start()
    source.wait(lambda: source.lines[-1:] == ["line 009999"])
    first = 10_000 - len(source.lines)
    assert 1024 - 24 <= len(source.data) <= 1024
    source.stop()

    append(log, b"".join(b"line %06d\n" % n for n in range(10_000, 20_000)))
    source.start()

    source.wait(lambda: source.lines[-1:] == ["line 019999"])
    assert len(source.data) <= 2048
    assert all(line.startswith("line 0") and len(line) == 11 for line in source.lines)
    assert [m.rpartition(": ")[2] for m in source.messages] == [
        "they are more than the backlog setting lets be caught up."
    ] * 2
    assert source.messages[0].startswith(f"{log}: {120_000 - 1024} bytes from byte 0 on are lost")
    assert first > 9_900


def test_only_the_latest_gaps_are_kept_and_all_are_counted(tmp_path, tail):
    for n in range(30):
        (tmp_path / f"{n}.log").write_bytes(LINE * 3)
    source = tail("*.log", start="beginning", backlog="1KB").start()

    source.wait(lambda: len(source.messages) == 30)

    gaps = source.context.state["gaps"]
    assert (gaps["count"], gaps["bytes"], len(gaps["latest"])) == (30, 30 * 2048, 20)


def test_what_is_written_to_a_renamed_file_at_the_end_of_the_wait_is_read(tmp_path, steps, monkeypatch):
    monkeypatch.setattr("aiops_source_file.pace.RESCAN", 0.0)
    log = tmp_path / "a.log"
    log.write_text("1\n")
    source = steps(paths=["a.log"], start="beginning", rotate_wait="0s")
    source.read_until(b"1\n")

    with log.open("a") as old:
        log.rename(tmp_path / "a.log.1")
        old.write("late\n")
    while not source.read().ended:
        pass

    assert source.data == b"1\nlate\n"
