"""Real tracebacks and real lines that are none; skipped where the corpora are absent."""

import json

from aiops_detector_python import PythonErrors


def _samples(corpora, folder):
    root = corpora / "traces" / folder
    for entry in json.loads((root / "manifest.json").read_text()):
        if entry["language"] == "python":
            yield entry, (root / entry["file"]).read_bytes()


def test_every_sample_is_as_many_events_as_it_has_exceptions(corpora, find):
    for folder in ("generated-local", "fluent-plugin-detect-exceptions"):
        for entry, data in _samples(corpora, folder):
            found = find(PythonErrors(), text=data)

            assert len(found) == entry["exceptions"], entry["id"]


def test_a_sample_with_one_exception_is_claimed_whole(corpora, find):
    for folder in ("generated-local", "fluent-plugin-detect-exceptions"):
        for entry, data in _samples(corpora, folder):
            if entry["exceptions"] != 1:
                continue
            # The samples of logging end with a record of their own.
            own = data.splitlines(keepends=True)
            expected = [line for line in own if b" WARNING " not in line]

            [found] = find(PythonErrors(), text=data)

            assert found.text.encode() == b"".join(expected), entry["id"]
            assert found.event.type != "Traceback", entry["id"]


def test_a_line_after_a_traceback_is_a_line_of_its_own(corpora, find):
    sample = json.loads((corpora / "traces/fluent-bit/internal_multiline/python.json").read_text())

    found = find(PythonErrors(), text="".join(sample["input_records"]))

    assert [item.text for item in found] == sample["expected_outputs"][:1]


def test_lines_that_start_no_traceback_start_none(corpora, find):
    lines = json.loads((corpora / "traces/datadog-agent/start_lines.json").read_text())

    for line in [*lines["never_a_start"], *lines["continuation_only"], *lines["trace_start"]]:
        assert find(PythonErrors(), text=f"{line}\nplain line\n") == [], line


def test_logs_of_nine_systems_hold_no_traceback(corpora, find):
    for path in sorted((corpora / "loghub" / "corrected").glob("*/*_2k.log")):
        assert find(PythonErrors(), text=path.read_bytes()) == [], path.name
