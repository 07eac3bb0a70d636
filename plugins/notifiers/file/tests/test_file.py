"""Reports in a real file: whole lines, each once, whatever happens between."""

import errno
import json
import os
import threading

import pytest
from aiops_notifier_file import FileConfig, FileNotifier

from aiops_core import Context, Retry, UserError, replace
from aiops_core.testing.chat_bench import FAULT, NOON, REPORT


def notifier(folder, **settings):
    config = FileConfig(**({"path": "reports/out.jsonl"} | settings))
    made = FileNotifier(config, Context(directory=folder, clock=lambda: NOON))
    made.start()
    return made


def lines(folder, name="out.jsonl"):
    return [json.loads(line) for line in (folder / "reports" / name).read_text("ascii").splitlines()]


def test_each_report_is_one_line_of_json(tmp_path):
    sender = notifier(tmp_path)

    receipt = sender.notify(replace(REPORT, title="two\nlines 结账 \udcff"))
    sender.notify(FAULT)

    first, second = lines(tmp_path)
    assert (first["key"], first["title"], first["version"]) == (REPORT.key, "two\nlines 结账 \ufffd", 1)
    assert (second["kind"], second["text"]) == ("fault", "shop.log cannot be read.")
    assert receipt.ids == (REPORT.key,)
    assert (tmp_path / "reports" / "out.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_report_that_is_tried_again_is_not_written_twice(tmp_path):
    notifier(tmp_path).notify(REPORT)

    receipt = notifier(tmp_path).notify(REPORT)

    assert len(lines(tmp_path)) == 1
    assert receipt.recipients[0].detail == "was there already"


@pytest.mark.parametrize("torn", [b'{"version":1,"ke', b"x" * 200_000])
def test_what_a_crash_left_half_written_is_cut_off(tmp_path, torn):
    sender = notifier(tmp_path)
    sender.notify(FAULT)
    with (tmp_path / "reports" / "out.jsonl").open("ab") as file:
        file.write(torn)

    sender.notify(REPORT)

    assert [line["key"] for line in lines(tmp_path)] == [FAULT.key, REPORT.key]


def test_a_torn_only_line_is_cut_off_too(tmp_path):
    sender = notifier(tmp_path)
    (tmp_path / "reports" / "out.jsonl").write_bytes(b'{"torn')

    sender.notify(REPORT)

    assert [line["key"] for line in lines(tmp_path)] == [REPORT.key]


def test_a_full_disk_takes_the_line_back_and_is_tried_again(tmp_path, monkeypatch):
    sender = notifier(tmp_path)
    sender.notify(FAULT)
    write = os.write

    def full(descriptor, data):
        if len(data) < 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Retry) as caught:
        sender.notify(REPORT)
    monkeypatch.undo()

    path = tmp_path / "reports" / "out.jsonl"
    assert str(caught.value) == f"file {path}: cannot be written (No space left on device)."
    assert [line["key"] for line in lines(tmp_path)] == [FAULT.key]


def test_a_large_file_is_renamed_and_the_oldest_removed(tmp_path):
    sender = notifier(tmp_path, max_size=4096, keep=2)

    for number in range(12):
        sender.notify(replace(REPORT, key=f"report-{number}"))

    folder = tmp_path / "reports"
    assert sorted(path.name for path in folder.iterdir()) == ["out.jsonl", "out.jsonl.1", "out.jsonl.2"]
    assert all(path.stat().st_size <= 4096 for path in folder.iterdir())
    assert lines(tmp_path)[-1]["key"] == "report-11"
    assert sender.notify(replace(REPORT, key="report-10")).recipients[0].detail == "was there already"


def test_nothing_is_kept_where_nothing_is_to_be_kept(tmp_path):
    sender = notifier(tmp_path, max_size=4096, keep=0)

    for number in range(5):
        sender.notify(replace(REPORT, key=f"report-{number}"))

    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["out.jsonl"]


def test_threads_write_whole_lines(tmp_path):
    senders = [notifier(tmp_path) for _ in range(4)]

    def write(number):
        for count in range(10):
            senders[number].notify(replace(REPORT, key=f"{number}-{count}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({line["key"] for line in lines(tmp_path)}) == 40


def test_a_place_that_cannot_be_written_is_found_at_start(tmp_path):
    (tmp_path / "reports").write_text("a file")

    with pytest.raises(UserError) as caught:
        notifier(tmp_path)

    path = tmp_path / "reports" / "out.jsonl"
    assert str(caught.value) == f"path: {path}: File exists. Name a file this user may write."
