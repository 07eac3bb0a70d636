"""What frameworks and runtimes write: one event each, with type, message, chain, frames and headline."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from corner_scene import docker, find

FOLDER = Path(__file__).with_name("frameworks")


class Sample(NamedTuple):
    name: str
    expected: list[str]
    text: str


def samples() -> Iterator[Sample]:
    for path in sorted(FOLDER.glob("*.txt")):
        for part in path.read_text("utf-8").split("### ")[1:]:
            title, _, text = part.partition("\n")
            name, *expected = title.split(" | ", 5)
            yield Sample(f"{path.stem}: {name}", expected, text.replace("\\e", "\x1b"))


ALL = list(samples())
EVENTS = [sample for sample in ALL if sample.expected != ["none"]]
NOTHING = [sample for sample in ALL if sample.expected == ["none"]]


def names(chosen):
    return [sample.name for sample in chosen]


def told(event):
    frames = [frame for raised in event.exceptions for frame in raised.frames]
    counts = (len(event.exceptions), len(frames), sum(frame.in_app for frame in frames))
    return [
        event.language or event.detector,
        event.type,
        "{} exceptions, {} frames, {} in-app".format(*counts),
        event.message.partition("\n")[0],
    ]


@pytest.mark.parametrize("sample", EVENTS, ids=names(EVENTS))
def test_what_a_framework_writes_is_one_event(sample):
    (event,) = find(sample.text)

    first, last = (sample.text.encode()[:end].count(b"\n") for end in (event.start, event.end))
    lines = f"lines {first + 1}-{last}"
    assert [*told(event)[:3], lines, told(event)[3]] == sample.expected


@pytest.mark.parametrize("sample", EVENTS, ids=names(EVENTS))
def test_it_is_the_same_event_when_a_container_s_runtime_carries_it(sample):
    (event,) = find("".join(docker(f"{line}\n") for line in sample.text.splitlines()))

    assert told(event) == [*sample.expected[:3], *sample.expected[4:]]


@pytest.mark.parametrize("sample", NOTHING, ids=names(NOTHING))
def test_what_only_looks_like_an_error_is_none(sample):
    assert find(sample.text) == []
