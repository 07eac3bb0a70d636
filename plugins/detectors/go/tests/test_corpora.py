"""Whole samples of public corpora: each is one event from its first line to its last."""

import json

import pytest

FOLDERS = ("generated-local", "fluent-plugin-detect-exceptions")


def entries(corpora, folder):
    for entry in json.loads((corpora / "traces" / folder / "manifest.json").read_text()):
        path = corpora / "traces" / folder / entry["file"]
        yield entry, path.read_text(errors="replace").replace("\r\n", "\n").strip("\n") + "\n"


def test_every_go_sample_is_one_event(find, corpora):
    wrong = {}
    for folder in FOLDERS:
        for entry, text in entries(corpora, folder):
            extent = [(one.start, one.end) for one in find(text)]
            is_wanted = entry["language"] == "go" and entry.get("exceptions") == 1
            if is_wanted and extent != [(0, text.count("\n"))]:
                wrong[entry["file"]] = extent

    assert wrong == {}


def test_damaged_dumps_are_one_event_without_the_junk_after_them(find, corpora):
    wrong = {}
    for entry, text in entries(corpora, "panicparse"):
        dump = text.removesuffix("junk\n")
        start = 0 if dump.startswith(("panic: ", "SIGQUIT", "  goroutine", "goroutine")) else None
        extent = [(one.start, one.end) for one in find(text)]
        if (
            len(extent) != 1
            or extent[0][1] != dump.count("\n")
            or extent[0][0] != (start if start is not None else 7)
        ):
            wrong[entry["file"]] = extent

    assert wrong == {}


def test_crashes_in_noise_are_found(find, corpora):
    folder = corpora / "crashes" / "syzkaller" / "gvisor" / "report"

    missed = [
        path.name
        for path in folder.iterdir()
        if any(word in path.read_text() for word in ("\ngoroutine ", "\nWARNING: DATA RACE"))
        and not find(path.read_text())
    ]

    assert missed == []


def test_other_languages_are_left_alone(find, corpora):
    wrong = [
        entry["file"]
        for folder in FOLDERS
        for entry, text in entries(corpora, folder)
        if entry["language"] != "go" and find(text)
    ]

    assert wrong == []


def test_ordinary_logs_hold_no_event(find, corpora):
    for path in sorted((corpora / "loghub" / "corrected").glob("*/*_2k.log")):
        assert find(path.read_text(errors="replace")) == [], path.name


@pytest.mark.parametrize("kind", ["never_a_start", "continuation_only"])
def test_lines_that_start_no_trace_are_no_event(find, corpora, kind):
    lines = json.loads((corpora / "traces" / "datadog-agent" / "start_lines.json").read_text())[kind]

    assert [line for line in lines if find(f"before\n{line}\nafter\n")] == []
