"""One problem is one event of the right kind, all of it; what is none is none."""

import re
from pathlib import Path

import pytest
from corner_scene import PLAIN, find

_BEGIN = re.compile(r"(?m)^=== ")


def specimens():
    for path in sorted(Path(__file__).with_name("specimens").glob("*.txt")):
        for part in _BEGIN.split(path.read_text("utf-8"))[1:]:
            head, _, text = part.partition("\n")
            title, *expected = head.split(" :: ")
            yield pytest.param(expected, text, id=f"{path.stem}: {title}")


@pytest.mark.parametrize(("expected", "text"), list(specimens()))
def test_a_specimen_is_what_it_says(expected, text):
    if expected == ["none"]:
        assert find(text) == []
        return
    detector, kind, message = expected

    lines = (PLAIN + text + PLAIN).encode()

    (event,) = find(lines)

    assert lines[event.start : event.end].decode().strip() == text.strip()
    assert event.detector in {detector, event.detector if detector == "-" else ""}
    assert kind in {"-", event.severity if detector == "levels" else event.type}
    assert message == "-" or event.message.startswith(message)
