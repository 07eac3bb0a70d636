"""Corner cases 58 to 65: writers that interleave, containers that carry lines."""

import json
import random

import pytest
from corner_scene import JAVA, NODE, PLAIN, PYTHON, all_detectors, cri, docker, find, only, places

from aiops_core.text.blocks import Cutter


def prefixed(prefix, text):
    return [f"{prefix}{line}\n" for line in text.splitlines()]


def interleaved(*streams):
    """Take a line of each stream in turn; the first two of the first stream begin."""
    queues = [list(stream) for stream in streams]
    lines = [queues[0].pop(0)]
    while any(queues):
        lines += [queue.pop(0) for queue in queues if queue]
    return "".join(lines)


def test_case_58_two_processes_that_interleave_are_two_events_each_complete():
    p1, p2 = prefixed("[p1] ", PYTHON), prefixed("[p2] ", JAVA)

    events = find(PLAIN + interleaved(p1, p2) + PLAIN)

    assert [(event.language, len(event.exceptions)) for event in events] == [("python", 1), ("java", 2)]
    assert [event.block for event in events] == ["".join(p1), "".join(p2)]


@pytest.mark.parametrize("seed", range(20))
def test_case_58_processes_that_interleave_in_whatever_way_are_events_each_complete(seed):
    chance = random.Random(seed)
    queues = [prefixed("[p1] ", PYTHON), prefixed("[p2] ", JAVA), prefixed("[p3] ", NODE)]
    whole, lines = {"".join(queue) for queue in queues}, []
    while any(queues):
        queue = chance.choice([queue for queue in queues if queue])
        lines += [queue.pop(0) for _ in range(min(len(queue), chance.randrange(1, 4)))]

    events = find(PLAIN + "".join(lines) + PLAIN)

    assert {event.block for event in events} == whole
    assert len(events) == 3


def test_case_58_two_processes_of_one_program_that_interleave_are_two_events_each_complete():
    p1, p2 = prefixed("[p1] ", PYTHON), prefixed("[p2] ", PYTHON.replace("ada", "bob"))

    events = find(PLAIN + interleaved(p1, p2) + PLAIN)

    assert [event.message for event in events] == ["card of ada refused", "card of bob refused"]
    assert [event.block for event in events] == ["".join(p1), "".join(p2)]


@pytest.mark.parametrize("other", [JAVA, PYTHON.replace("ada", "bob"), NODE])
def test_case_59_two_threads_without_a_prefix_lose_no_line(other):
    one, two = prefixed("", PYTHON), prefixed("", other)
    text = PLAIN + interleaved(one, two) + "ERROR gave up\n"

    events = find(text)

    assert events[-1].message == "gave up"
    assert events[-1].type != events[0].type
    assert {event.language for event in events} >= {"python"}
    for event in events:
        assert event.block == text[event.start : event.end]
    covered = {at for event in events for at in range(event.start, event.end)}
    seen = "".join(line for event in events for line in (*event.context_before, event.block))
    for at, line in ((text.index(line), line) for line in (*one, *two)):
        assert at in covered or line.strip() in seen


def test_case_60_docker_pieces_of_both_streams_that_interleave_are_joined_each():
    lines = [
        docker("ERROR: aa"),
        docker("ERROR: ee1", "stderr"),
        docker("bb\n"),
        docker("ee2\n", "stderr"),
    ]

    events = find("".join(lines))

    assert [(event.message, event.attributes["stream"]) for event in events] == [
        ("aabb", "stdout"),
        ("ee1ee2", "stderr"),
    ]


@pytest.mark.parametrize("time", ["yesterday", "", None, 7])
def test_case_61_a_docker_record_with_a_bad_time_stands_for_itself(time):
    bad = json.dumps({"log": "ERROR: x\n", "stream": "stderr", "time": time}) + "\n"

    events = find(bad + "ERROR: raw line\n" + docker("ERROR: y\n"))

    assert [event.message for event in events] == ["x", "raw line", "y"]
    assert [event.occurred_at is None for event in events] == [True, True, False]
    assert [event.block for event in events] == [bad, "ERROR: raw line\n", docker("ERROR: y\n")]


def test_case_61_a_docker_record_without_a_time_stands_for_itself():
    bad = json.dumps({"log": "ERROR: x\n", "stream": "stderr"}) + "\n"

    events = find(bad + "ERROR: raw line\n" + docker("ERROR: y\n"))

    assert [event.message for event in events] == ["x", "raw line", "y"]


@pytest.mark.parametrize("piece", [docker("ERROR: cut here"), cri("ERROR: cut here", tag="P")])
def test_case_62_a_last_piece_that_is_never_completed_is_told_and_marked(piece):
    cutter = Cutter(all_detectors().grammar, 0)

    assert list(cutter.feed((PLAIN + piece).encode())[0]) == []
    (event,) = find(PLAIN + piece)

    assert (event.message, event.block) == ("cut here", piece)
    assert event.attributes["partial"] == "true"


@pytest.mark.parametrize("others", [1, 300, 1000])
def test_case_62_lines_of_another_stream_do_not_keep_a_piece_open(others):
    piece = cri("ERROR: cut here", tag="P")
    text = piece + "".join(cri(f"order {number}", "stderr") for number in range(others))

    (event,) = find(text)

    assert (event.message, event.block, event.attributes["partial"]) == ("cut here", piece, "true")


def test_case_63_cri_pieces_are_joined_per_stream_whatever_flags_their_tag_has():
    lines = [
        cri("ERROR: one ", "stdout", "P"),
        cri("ERROR: two ", "stderr", "P:x"),
        cri("and ", "stdout", "P"),
        cri("", "stderr", "F"),
        cri("more", "stdout", "F:x"),
    ]

    events = find("".join(lines))

    assert [(event.message, event.attributes["stream"]) for event in events] == [
        ("one and more", "stdout"),
        ("two", "stderr"),
    ]
    assert not any("partial" in event.attributes for event in events)


@pytest.mark.parametrize("tag", ["F", "F:x"])
def test_case_63_an_empty_cri_line_is_an_empty_line_of_the_program(tag):
    chained = (
        PYTHON
        + "\nDuring handling of the above exception, another exception occurred:\n\n"
        + PYTHON.replace("ada", "bob")
    )

    (event,) = find("".join(cri(line, "stderr", tag) for line in chained.splitlines()))

    assert [raised.message for raised in event.exceptions] == ["card of bob refused", "card of ada refused"]


def test_case_64_a_java_trace_in_cri_lines_is_one_event():
    lines = "".join(cri(line, "stderr") for line in JAVA.splitlines())

    event = only(lines, cri("up"), cri("goes on"))

    assert (event.type, event.message) == ("java.lang.IllegalStateException", "shelf is empty")
    assert [raised.type for raised in event.exceptions] == [event.type, "java.io.IOException"]
    assert places(event) == [[("main", 9), ("take", 31)], [("read", 77)]]


def test_case_65_a_piece_before_a_restart_of_its_container_is_told_marked_and_not_joined():
    events = [*find(cri("ERROR: old", tag="P")), *find(cri("ERROR: new"))]

    assert [event.message for event in events] == ["old", "new"]
    assert [event.attributes.get("partial") for event in events] == ["true", None]


@pytest.mark.parametrize(("service", "count"), [("svc-pay", 1), ("svc-cart", 2)])
def test_a_logging_line_of_another_service_introduces_nothing(service, count):
    text = f"2026-01-01T10:00:00.000Z {service} ERROR request failed\n"
    text += "2026-01-01T10:00:00.001Z svc-pay Traceback (most recent call last):\n"
    text += '  File "/srv/a.py", line 3, in f\n    g()\nValueError: none\n'

    events = find(text)

    assert len(events) == count
