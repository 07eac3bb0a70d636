"""Whole samples of public corpora: each is one event from its first line to its last."""

import json

import pytest

FOLDERS = ("generated-local", "fluent-plugin-detect-exceptions")


def samples(corpora, wanted):
    for folder in FOLDERS:
        for entry in json.loads((corpora / "traces" / folder / "manifest.json").read_text()):
            if wanted(entry):
                path = corpora / "traces" / folder / entry["file"]
                yield entry["id"], path.read_text(errors="replace").strip("\n") + "\n"


def test_every_java_sample_is_one_event(find, corpora):
    wrong = {}
    for name, text in samples(corpora, lambda one: one["language"] == "java" and one.get("exceptions") == 1):
        lines = text.splitlines()
        is_logged = lines[-1].startswith("2026")  # the sample ends with a line of its own
        found = find(text)
        extent = [
            (one.start + bool(lines[0].startswith("2026") and one.start == 0), one.end) for one in found
        ]
        if extent != [(int(lines[0].startswith("2026")), len(lines) - is_logged)]:
            wrong[name] = extent

    assert wrong == {}


def test_other_languages_are_left_alone(find, corpora):
    wrong = [name for name, text in samples(corpora, lambda one: one["language"] != "java") if find(text)]

    assert wrong == []


def test_ordinary_logs_hold_no_event(find, corpora):
    for path in sorted((corpora / "loghub" / "corrected").glob("*/*_2k.log")):
        assert find(path.read_text(errors="replace")) == [], path.name


@pytest.mark.parametrize("kind", ["never_a_start", "continuation_only"])
def test_lines_that_start_no_trace_are_no_event(find, corpora, kind):
    lines = json.loads((corpora / "traces" / "datadog-agent" / "start_lines.json").read_text())[kind]

    assert [line for line in lines if find(f"before\n{line}\nafter\n")] == []


def test_crashes_in_noise_are_found(find, corpora):
    folder = corpora / "crashes" / "clusterfuzz" / "samples"

    types = {
        path.name: {one.event.type for one in find(path.read_text(errors="replace"))}
        for path in folder.glob("java_*")
    }

    assert types["java_IllegalStateException.txt"] == {"java.lang.IllegalStateException"}
    assert all(types.values())
