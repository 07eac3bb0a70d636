"""What is wrong in files, as `aiops scan` tells it."""

import gzip
import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from cli_scene import AIOPS, CRASH, aiops
from rich.cells import cell_len


def test_scan_prints_a_table_of_incidents_with_counts(typed, tmp_path):
    (tmp_path / "shop.log").write_text(CRASH * 3)

    code, output, _ = typed("scan", tmp_path / "shop.log")

    assert code == 0
    head, row, total = output.splitlines()
    assert head.split() == ["count", "severity", "last", "error", "place"]
    assert row.split()[:5] == ["3", "error", "ValueError:", "no", "price"]
    assert row.endswith("/app/shop/cart.py:7")
    assert total == "3 events, 1 incident"


def test_scan_prints_one_json_object_per_event(typed, tmp_path):
    path = tmp_path / "shop.log"
    path.write_text("starting\n" + CRASH + "done\n")

    code, output, _ = typed("scan", "--jsonl", path)

    (event,) = map(json.loads, output.splitlines())
    assert code == 0
    fingerprint = event.pop("fingerprint")
    assert len(fingerprint) >= 12
    assert event == {
        "path": str(path),
        "start": 9,
        "end": 9 + len(CRASH),
        "language": "python",
        "type": "ValueError",
        "message": "no price",
        "severity": "error",
        "detector": "python",
        "occurred_at": None,
        "headline": "",
        "truncated": False,
        "frames": [
            {
                "file": "/app/shop/cart.py",
                "line": 7,
                "function": "total",
                "module": event["frames"][0]["module"],
                "in_app": True,
            }
        ],
        "exceptions": [{"type": "ValueError", "message": "no price", "link": "raised", "parent": -1}],
    }


def test_scan_reads_standard_input(tmp_path):
    done = aiops("scan", "--jsonl", "-", cwd=tmp_path, stdin="x\n" + CRASH.rstrip("\n"))

    (event,) = map(json.loads, done.stdout.splitlines())
    assert (event["path"], event["start"], event["type"]) == ("-", 2, "ValueError")


def test_scan_prints_what_it_found_before_more_comes():
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": environment, "text": True}
    with subprocess.Popen([AIOPS, "scan", "--jsonl", "-"], **pipes) as running:
        running.stdin.write(CRASH + "2026-11-22 10:00:00,000 INFO shop: done\n")
        running.stdin.flush()

        event = json.loads(running.stdout.readline())

        running.stdin.close()
    assert event["type"] == "ValueError"


def test_scan_reads_gz_directories_and_globs(typed, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "shop.log.1.gz").write_bytes(gzip.compress(CRASH.encode()))
    (tmp_path / "shop.log").write_text(CRASH)

    def paths(*arguments):
        _, output, _ = typed("scan", "--jsonl", *arguments)
        return sorted(Path(json.loads(line)["path"]).name for line in output.splitlines())

    assert paths(tmp_path) == ["shop.log", "shop.log.1.gz"]
    assert paths(tmp_path / "*.log") == ["shop.log"]
    assert paths(tmp_path / "old" / "shop.log.1.gz") == ["shop.log.1.gz"]


def test_scan_names_for_each_last_line_of_several_files_its_own_file(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.log").write_text(f"2026-11-21 10:00:01,000 ERROR shop: {name} failed\n")

    done = aiops("scan", "--jsonl", ".", cwd=tmp_path)

    events = map(json.loads, done.stdout.splitlines())
    assert {Path(event["path"]).name: event["message"] for event in events} == {
        "a.log": "shop: a failed",
        "b.log": "shop: b failed",
        "c.log": "shop: c failed",
    }


def test_scan_names_a_path_that_is_not_there(typed, tmp_path):
    code, output, error = typed("scan", tmp_path / "none.log")

    assert (code, output) == (2, "")
    assert error == f"{tmp_path}/none.log: no such file or directory. Give a file, a directory, a glob or -\n"


def test_scan_finds_nothing_in_a_clean_log(typed, tmp_path):
    (tmp_path / "shop.log").write_text("all is well\n" * 50)

    assert typed("scan", tmp_path / "shop.log") == (0, "no errors found\n", "")


def test_scan_says_that_a_directory_holds_no_log(typed, tmp_path):
    assert typed("scan", tmp_path) == (0, "no errors found\n", f"{tmp_path}: no log file found\n")


def test_scan_uses_only_the_named_detectors(typed, tmp_path):
    (tmp_path / "shop.log").write_text(CRASH)

    assert typed("scan", "-d", "java", tmp_path / "shop.log")[1] == "no errors found\n"
    assert typed("scan", "-d", "jav", tmp_path / "shop.log") == (
        2,
        "",
        "detector jav: not installed. Did you mean 'java'?\n",
    )


def test_scan_into_a_closed_pipe_ends_quietly(tmp_path):
    (tmp_path / "shop.log").write_text(CRASH * 5000)

    piped = f"set -o pipefail; {AIOPS} scan --jsonl shop.log | head -1"

    done = subprocess.run(["bash", "-c", piped], cwd=tmp_path, capture_output=True, text=True)

    assert json.loads(done.stdout)["type"] == "ValueError"
    assert (done.returncode, done.stderr) == (0, "")


def cut_off(data):
    return data[:-40]


def damaged(data):
    return data[:30] + b"\xff" * 40 + data[70:]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [(cut_off, "lacks its end; it was read up to byte "), (damaged, "is damaged; it was read up to byte ")],
)
@pytest.mark.parametrize("named", ["shop.log.gz", ".", "*.gz"])
def test_scan_ends_with_2_and_says_so_when_a_compressed_file_is_not_whole(tmp_path, spoil, told, named):
    text = CRASH + "".join(f"order {n} {n * 7919 % 10007}\n" for n in range(500))
    (tmp_path / "shop.log.gz").write_bytes(spoil(gzip.compress(text.encode())))

    done = aiops("scan", named, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path}/shop.log.gz: {told}")
    assert done.stderr.endswith(" of its content. Mend it, or leave it out\n")
    assert done.stderr.count("\n") == 1


def test_scan_ends_with_2_when_a_path_cannot_be_read_and_reads_the_others(typed, tmp_path):
    (tmp_path / "shop.log").write_text(CRASH)
    (tmp_path / "loop.log").symlink_to(tmp_path / "loop.log")
    told = (
        f"{tmp_path}/loop.log: cannot be read (Too many levels of symbolic links). Mend it, or leave it out\n"
    )

    alone = typed("scan", tmp_path / "loop.log")
    code, output, error = typed("scan", "--jsonl", tmp_path)

    assert alone == (2, "no errors found in what could be read\n", told)
    assert (code, error) == (2, told)
    assert [json.loads(line)["type"] for line in output.splitlines()] == ["ValueError"]


def test_scan_tells_every_path_that_names_nothing(typed, tmp_path):
    (tmp_path / "dangling.log").symlink_to(tmp_path / "gone")

    code, output, error = typed("scan", tmp_path / "*.nothing", tmp_path / "dangling.log")

    assert (code, output) == (2, "")
    assert error.splitlines() == [
        f"{tmp_path}/*.nothing: no file matches. Mend the pattern, or name a file or a directory",
        f"{tmp_path}/dangling.log: no such file or directory. Give a file, a directory, a glob or -",
    ]


def test_what_scan_only_notes_is_no_failure(typed, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "shop.log").write_bytes(b"\0" * 64 + CRASH.encode())

    code, output, error = typed("scan", "--jsonl", tmp_path / "*")

    assert code == 0
    assert [json.loads(line)["type"] for line in output.splitlines()] == ["ValueError"]
    assert "matches directories too, which are skipped" in error
    assert "the zero bytes from 0 to 64 were dropped" in error
    assert "Mend it" not in error


def on_terminal(*arguments, cwd, columns):
    """Run the command with a terminal of so many columns as its output; return what it printed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [AIOPS, *map(str, arguments)], cwd=cwd, stdout=theirs, env={**os.environ, "COLUMNS": str(columns)}
    ) as process:
        os.close(theirs)
        printed = b""
        try:
            while data := os.read(ours, 65536):
                printed += data
        except OSError:  # how Linux says that the other end is closed
            pass
        process.wait()
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", printed.decode()).splitlines()


def test_the_table_has_one_line_an_incident_and_never_breaks_a_place(typed, tmp_path):
    message = "订单 " + "no price for order number " * 8
    place = "/srv/a/rather/long/way/to/the/source/of/the/shop/cart.py"
    text = CRASH.replace("no price", message).replace("/app/shop/cart.py", place)
    (tmp_path / "shop.log").write_text(text)

    _, whole, _ = typed("scan", tmp_path / "shop.log")
    shown = on_terminal("scan", "shop.log", cwd=tmp_path, columns=120)
    narrow = on_terminal("scan", "shop.log", cwd=tmp_path, columns=40)

    assert "no price for order number " * 4 in whole.splitlines()[1]
    assert whole.splitlines()[1].endswith(f"{place}:7")
    for lines in (shown, narrow):
        assert len(lines) == 3
        assert lines[1].endswith(f"…  {place}:7")
    assert cell_len(shown[1]) == 120


@pytest.mark.parametrize(("zone", "shown", "moment"), [("Asia/Shanghai", "10", "02"), ("UTC", "10", "10")])
def test_scan_takes_and_shows_times_as_those_of_this_machine(tmp_path, zone, shown, moment):
    (tmp_path / "shop.log").write_text("2026-01-02 10:00:00 ERROR shop: no price\n")
    environment = {**os.environ, "TZ": zone}

    def run(*arguments):
        return subprocess.run(
            [AIOPS, "scan", *arguments, "shop.log"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        ).stdout

    assert f"2026-01-02 {shown}:00:00" in run()
    assert json.loads(run("--jsonl"))["occurred_at"] == f"2026-01-02T{moment}:00:00+00:00"


def test_scan_says_once_what_is_wrong_with_a_detector(typed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text(
        "from aiops_core import LogDetector\n\n\nclass Bad(LogDetector):\n    triggers = ('boom',)\n\n"
        "    def detect(self, block):\n        raise SystemExit(0)\n"
    )
    (tmp_path / "shop.log").write_text("boom\nwell\n" * 9)

    code, _, error = typed("scan", "-d", "./bad.py:Bad", "shop.log")

    assert (code, error) == (0, "detector bad raised SystemExit: 0. Its lines are counted unread\n")
