"""Whole samples of public corpora: each is one event from its first line to its last."""

import json

import pytest

FOLDERS = ("generated-local", "fluent-plugin-detect-exceptions")
PARSERS = ("stacktrace-parser", "error-stack-parser")


def entries(corpora, folders):
    for folder in folders:
        for entry in json.loads((corpora / "traces" / folder / "manifest.json").read_text()):
            path = corpora / "traces" / folder / entry["file"]
            yield entry, path.read_text(errors="replace").replace("\r\n", "\n").strip("\n") + "\n"


def is_wanted(entry):
    return entry.get("has_header_line") or (
        entry["language"] == "javascript" and entry.get("exceptions") == 1
    )


def test_every_javascript_sample_is_one_event(find, corpora):
    wrong = {}
    for entry, text in entries(corpora, (*FOLDERS, *PARSERS)):
        extent = [(one.start, one.end) for one in find(text)]
        if is_wanted(entry) and extent != [(0, text.count("\n"))]:
            wrong[entry["file"]] = extent

    assert wrong == {}


def test_messages_are_those_the_samples_tell(find, corpora):
    wrong = {}
    for entry, text in entries(corpora, PARSERS):
        if entry["has_header_line"] and entry["message"]:
            (one,) = find(text)
            if entry["message"] not in {one.event.message, f"{one.event.type}: {one.event.message}"}:
                wrong[entry["file"]] = one.event.message

    assert wrong == {}


def test_other_languages_are_left_alone(find, corpora):
    wrong = [
        entry["file"]
        for entry, text in entries(corpora, FOLDERS)
        if entry["language"] != "javascript" and find(text)
    ]

    assert wrong == []


def test_ordinary_logs_hold_no_event(find, corpora):
    for path in sorted((corpora / "loghub" / "corrected").glob("*/*_2k.log")):
        assert find(path.read_text(errors="replace")) == [], path.name


@pytest.mark.parametrize("kind", ["never_a_start", "continuation_only"])
def test_lines_that_start_no_trace_are_no_event(find, corpora, kind):
    lines = json.loads((corpora / "traces" / "datadog-agent" / "start_lines.json").read_text())[kind]

    assert [line for line in lines if find(f"before\n{line}\nafter\n")] == []
