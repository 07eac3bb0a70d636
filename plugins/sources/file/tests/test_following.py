def test_case_1_appended_lines_are_read_whole_and_a_torn_line_waits_for_its_end(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_bytes(b"")
    source = tail().start()

    append(log, "one\ntwo-par")
    source.wait_for("one")
    append(log, "tial\nthree\n")
    source.wait_for("one", "two-partial", "three")

    assert [batch.offset for batch in source.chunks] == [0, 4]
    assert all(batch.data.endswith(b"\n") for batch in source.chunks)


def test_the_first_start_begins_at_the_end_and_later_files_at_their_beginning(tmp_path, tail, append):
    (tmp_path / "old.log").write_text("before\n")
    source = tail().start()

    append(tmp_path / "old.log", "after\n")
    source.wait_for("after")
    (tmp_path / "new.log").write_text("fresh\n")

    source.wait_for("after", "fresh")


def test_the_first_start_can_begin_at_the_beginning(tmp_path, tail):
    (tmp_path / "old.log").write_text("before\n")

    source = tail(start="beginning").start()

    source.wait_for("before")


def test_the_first_start_at_the_end_includes_the_line_that_is_being_written(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("done\nhalf")
    source = tail().start()

    append(log, "-done\n")

    source.wait_for("half-done")


def test_case_2_a_restart_goes_on_where_the_last_run_stopped(tmp_path, tail, append):
    log = tmp_path / "a.log"
    log.write_text("one\n")
    source = tail(start="beginning").start()
    source.wait_for("one")
    source.stop()

    append(log, "two\nthr")
    source.start()
    source.wait_for("one", "two")
    source.stop()
    append(log, "ee\n")
    source.start()

    source.wait_for("one", "two", "three")
    assert len(source.streams) == 1


def test_a_restart_goes_on_from_any_byte_the_host_committed(tmp_path, tail):
    log = tmp_path / "a.log"
    log.write_text("one\ntwo\nthree\n")
    source = tail(start="beginning").start()
    source.wait_for("one", "two", "three")
    source.stop()
    batch = source.chunks[0]

    source.positions[batch.stream] = batch.position_at(4)
    source.batches.clear()
    source.start()

    source.wait_for("two", "three")
    assert source.streams == [batch.stream]


def test_a_file_that_appears_while_the_source_is_stopped_is_read_from_its_beginning(tmp_path, tail):
    (tmp_path / "a.log").write_text("old\n")
    source = tail().start()
    source.stop()

    (tmp_path / "b.log").write_text("while away\n")
    source.start()

    source.wait_for("while away")


def test_a_first_start_without_any_file_is_remembered_too(tmp_path, tail):
    source = tail().start()
    source.stop()

    (tmp_path / "a.log").write_text("while away\n")
    source.start()

    source.wait_for("while away")


def test_paths_that_are_added_later_have_a_first_start_of_their_own(tmp_path, tail, append):
    (tmp_path / "a.log").write_text("a\n")
    (tmp_path / "b.txt").write_text("old b\n")
    source = tail().start()
    source.stop()

    source.settings = {"paths": ["*.log", "*.txt"]}
    source.start()
    source.wait(lambda: list(source.positions["paths"]["paths"]) == ["*.log", "*.txt"])
    append(tmp_path / "b.txt", "new b\n")

    source.wait_for("new b")


def test_case_21_directories_that_appear_later_are_searched(tmp_path, tail):
    source = tail("sub/*/x.log", "tree/**/*.log").start()

    (tmp_path / "sub" / "one").mkdir(parents=True)
    (tmp_path / "sub" / "one" / "x.log").write_text("x\n")
    source.wait_for("x", seconds=2.5)
    (tmp_path / "tree" / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "tree" / "a" / "b" / "c" / "y.log").write_text("y\n")

    source.wait_for("x", "y", seconds=2.5)


def test_an_event_wakes_the_source_long_before_the_next_scan(tmp_path, tail, append, monkeypatch):
    monkeypatch.setattr("aiops_source_file.pace.RESCAN", 60.0)
    log = tmp_path / "a.log"
    log.write_text("")
    source = tail().start()

    append(log, "one\n")
    source.wait_for("one", seconds=2)
    (tmp_path / "b.log").write_text("two\n")

    source.wait_for("one", "two", seconds=2)


def test_an_event_behind_a_symlinked_directory_wakes_the_source_too(tmp_path, tail, append, monkeypatch):
    monkeypatch.setattr("aiops_source_file.pace.RESCAN", 60.0)
    (tmp_path / "real").mkdir()
    (tmp_path / "logs").symlink_to("real")
    log = tmp_path / "real" / "a.log"
    log.write_text("")
    source = tail("logs").start()

    append(log, "one\n")

    source.wait_for("one", seconds=2)


def test_everything_works_a_second_later_without_events(tmp_path, tail, append, monkeypatch):
    monkeypatch.setattr("aiops_source_file.wakeups.Wakeups.watch", lambda *_: None)
    log = tmp_path / "a.log"
    log.write_text("")
    source = tail().start()

    append(log, "one\n")

    source.wait_for("one")


def test_a_big_backlog_starves_no_other_file(tmp_path, tail):
    (tmp_path / "a.log").write_bytes(b"x" * 99 + b"\n" + (b"y" * 99 + b"\n") * 80_000)
    (tmp_path / "b.log").write_text("small\n")
    source = tail(start="beginning").start()

    source.wait(lambda: len(source.data) == 8_000_106)

    order = [batch.path.rpartition("/")[2] for batch in source.chunks]
    assert "b.log" in order[:2]
    assert all(len(batch.data) <= 1 << 20 for batch in source.batches)


def test_more_files_than_may_be_open_are_followed(tmp_path, tail, append, monkeypatch):
    monkeypatch.setattr("aiops_source_file.follower._handle_limit", lambda: 8)
    for i in range(40):
        (tmp_path / f"{i}.log").write_text("first\n")
    source = tail(start="beginning").start()
    source.wait(lambda: len(source.lines) == 40)

    for i in range(40):
        append(tmp_path / f"{i}.log", f"{i}\n")

    source.wait(lambda: len(source.lines) == 80)
    assert sorted(source.lines[40:]) == sorted(map(str, range(40)))


def test_case_42_a_damaged_position_is_told_and_its_file_read_anew(tmp_path, tail):
    (tmp_path / "a.log").write_text("one\n")
    source = tail(start="beginning").start()
    source.wait_for("one")
    source.stop()
    (stream,) = source.streams

    source.positions[stream] = {"offset": "far"}
    source.start()

    source.wait_for("one", "one")
    assert any(f"{stream}: the position of {stream} is damaged" in message for message in source.messages)


def test_a_path_without_a_file_is_told(tail):
    source = tail("nothing.log").start()

    source.wait(lambda: source.messages)

    assert source.messages == ["file: no file found yet. Check the paths setting if that is unexpected."]
