import os
import socket

import pytest
from aiops_source_file.siblings import originals


def write(path, text=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or f"{path.name}\n")


@pytest.mark.parametrize(
    "name",
    [
        "a.log.1",
        "a.log.12",
        "a.log-20260131",
        "a.log.2026-01-31",
        "a.log.2026-01-31_12:30",
        "a.log-20260131120000.backup",
        "a.log.20260131T120000Z",
        "a.log.old",
        "a.log_bak",
        "a-20260131.log",
        "a.1.log",
        "a.2026-01-31.0.log",
    ],
)
def test_the_names_that_rotations_give_lead_back_to_the_file(name):
    assert "/d/a.log" in originals(f"/d/{name}")


@pytest.mark.parametrize("name", ["a.log", "ba.log.1", "a.log.gz", "a.logger", "a-worker.log", "a.log.1x"])
def test_other_names_do_not(name):
    assert "/d/a.log" not in list(originals(f"/d/{name}"))


def test_a_directory_stands_for_the_text_files_in_it(tmp_path, tail):
    for name in ("a.log", "b", "sub/c.txt", "sub/deeper/d.log.1", ".hidden.swp", ".git/x"):
        write(tmp_path / "logs" / name)
    (tmp_path / "logs" / "wtmp").write_bytes(b"\x07\0\0\0~\0\0\0" * 100)
    (tmp_path / "logs" / "random.xz").write_bytes(bytes(range(256)) * 4)

    source = tail("logs").run_once()

    assert sorted(source.lines) == ["a.log", "b", "c.txt", "d.log.1"]


def test_a_directory_need_not_be_searched_below(tmp_path, tail):
    write(tmp_path / "logs" / "a.log")
    write(tmp_path / "logs" / "sub" / "b.log")

    source = tail("logs/", recursive=False).run_once()

    assert source.lines == ["a.log"]


def test_globs_may_hold_any_number_of_directories(tmp_path, tail):
    for name in ("a.log", "x/b.log", "x/y/c.log", "x/y/c.txt", "x/.h/d.log", "q1/e.log", "q22/e.log"):
        write(tmp_path / name)

    deep = tail("**/*.log").run_once()
    one = tail("q?/*.log").run_once()
    all_below = tail("x/**").run_once()

    assert sorted(deep.lines) == ["a.log", "b.log", "c.log", "e.log", "e.log"]
    assert one.lines == ["e.log"]
    assert sorted(all_below.lines) == ["b.log", "c.log", "c.txt"]


def test_files_and_directories_can_be_left_out(tmp_path, tail):
    for name in ("a.log", "a.debug", "old/b.log", "sub/c.log", "sub/deep/d.log"):
        write(tmp_path / name)

    source = tail(".", exclude=["*.debug", "old", "sub/deep/*", f"{tmp_path}/none"]).run_once()

    assert sorted(source.lines) == ["a.log", "c.log"]


def test_the_home_directory_may_be_written_as_a_tilde(tmp_path, tail, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    write(tmp_path / "me" / "a.log")

    assert tail("~/a.log").run_once().lines == ["a.log"]


def test_a_file_named_by_its_path_is_read_whatever_it_holds(tmp_path, tail):
    (tmp_path / "odd").write_bytes(b"\x01\x02\x03\x04 text\n")

    assert tail("odd").run_once().data == b"\x01\x02\x03\x04 text\n"
    assert tail("od?").run_once().data == b""


def test_case_24_25_one_file_under_many_names_is_read_once(tmp_path, tail):
    write(tmp_path / "a.log", "1\n")
    os.link(tmp_path / "a.log", tmp_path / "b.log")
    (tmp_path / "c.log").symlink_to("a.log")
    (tmp_path / "broken.log").symlink_to("nowhere")

    assert tail().run_once().lines == ["1"]


def test_case_48_what_is_no_file_is_told_once_and_skipped(tmp_path, tail, append, monkeypatch):
    os.mkfifo(tmp_path / "fifo.log")
    (tmp_path / "dir.log").mkdir()
    (tmp_path / "device.log").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)  # the whole path is too long for a socket
        listener.bind("socket.log")
        write(tmp_path / "a.log", "1\n")
        source = tail(start="beginning").start()
        source.wait_for("1")
        append(tmp_path / "a.log", "2\n")
        source.wait_for("1", "2")
        source.stop()

    assert sorted(source.messages) == [
        f"*.log: matches directories too, which are skipped ({tmp_path}/dir.log). Use ** for them.",
        f"{tmp_path}/device.log: is a device, no file; it is skipped.",
        f"{tmp_path}/fifo.log: is a named pipe, no file; it is skipped.",
        f"{tmp_path}/socket.log: is a socket, no file; it is skipped.",
    ]


def test_case_49_odd_file_names_work_and_are_shown_escaped(tmp_path, tail, append):
    broken = tmp_path / os.fsdecode(b"caf\xe9.log")
    for path in (tmp_path / "new\nline.log", broken, tmp_path / "[a].log"):
        path.write_bytes(b"1\n")
    source = tail(start="beginning").start()
    source.wait_for("1", "1", "1")
    source.stop()

    append(broken, "2\n")
    source.start()

    source.wait_for("1", "1", "1", "2")
    paths = {batch.path.rpartition("/")[2] for batch in source.chunks}
    assert paths == {"new\\nline.log", "caf\\xe9.log", "[a].log"}
    for position in source.positions.values():
        str(position).encode()


def test_a_path_with_glob_characters_that_exists_is_meant_literally(tmp_path, tail):
    write(tmp_path / "[a].log", "literal\n")
    write(tmp_path / "a.log", "glob\n")

    assert tail("[a].log").run_once().lines == ["literal"]


def test_case_46_a_file_that_is_empty_at_first_is_judged_when_it_has_content(tmp_path, tail, append):
    (tmp_path / "text").write_bytes(b"")
    (tmp_path / "binary").write_bytes(b"")
    source = tail(".").start()

    append(tmp_path / "binary", b"\x01\0\0\x02\0\n" * 10)
    append(tmp_path / "text", "1\n")

    source.wait_for("1")
