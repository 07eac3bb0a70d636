"""A runtime splits long lines, and may do so in the middle of what a trace is known by."""

from random import Random

import pytest
from corner_scene import JAVA, NODE, PLAIN, PYTHON, all_detectors, cri, docker, find

from aiops_core.text.blocks import Cutter


def in_docker(pieces, stream="stderr"):
    return "".join(docker(piece + ("\n" if is_last else ""), stream) for piece, is_last in pieces)


def in_cri(pieces, stream="stderr"):
    return "".join(cri(piece, stream, "F" if is_last else "P") for piece, is_last in pieces)


def cut_at(line, *places):
    """Return the pieces of a line, the last one marked."""
    ends = [*places, len(line)]
    return [(line[start:end], end == len(line)) for start, end in zip([0, *places], ends, strict=True)]


CARRIERS = pytest.mark.parametrize("carry", [in_docker, in_cri])


@CARRIERS
@pytest.mark.parametrize(
    ("text", "places"),
    [(PYTHON, (4,)), (PYTHON, (1, 9, 20)), (JAVA, (22,)), (NODE, (5,))],
)
def test_a_trace_is_found_though_a_cut_goes_through_what_it_is_known_by(carry, text, places):
    first, *rest = text.splitlines()
    lines = carry(cut_at(first, *places)) + "".join(carry(cut_at(line)) for line in rest)

    (event,) = find(carry(cut_at("INFO shop up")) + lines + carry(cut_at("INFO shop goes on")))

    assert event.block == lines
    assert len(event.exceptions) == text.count("Caused by") + 1


@CARRIERS
def test_every_line_may_be_cut(carry):
    random = Random(3)
    for text in (PYTHON, JAVA, NODE):
        lines = "".join(carry(cut_at(line, random.randrange(1, len(line)))) for line in text.splitlines())

        (event,) = find(lines)

        assert event.block == lines
        assert event.exceptions[0].frames


@CARRIERS
def test_pieces_of_both_streams_that_interleave_are_joined_each(carry):
    one, two = cut_at("ERROR disk is full", 3), cut_at("ERROR sky is falling", 2)
    text = carry(one[:1], "stdout") + carry(two[:1]) + carry(one[1:], "stdout") + carry(two[1:])

    assert sorted(event.message for event in find(text)) == ["disk is full", "sky is falling"]


@CARRIERS
def test_a_line_whose_end_is_not_there_yet_is_waited_for(carry):
    pieces = cut_at("ERROR disk is full", 3, 8)
    cutter = Cutter(all_detectors().grammar, 0)

    for piece in pieces[:2]:
        assert list(cutter.feed(carry([piece]).encode())[0]) == []
        assert cutter.low_water == 0
    (claim,) = [*cutter.feed((carry([pieces[2]]) + PLAIN * 20).encode())[0], *cutter.flush()]

    assert claim.block.lines == ("ERROR disk is full",)


@CARRIERS
def test_a_line_of_many_pieces_is_one_event(carry):
    line = "ERROR: " + "x" * 300 + " Traceback (most recent call last): ERROR"

    (event,) = find(carry(cut_at(line, *range(2, 300, 3))))

    assert event.severity == "error"


@pytest.mark.parametrize("text", ["return", "a backslash and n: \\n", "\\", 'a quote "'])
def test_a_piece_may_end_with_what_looks_like_the_end_of_a_line(text):
    lines = docker(f"INFO {text}") + docker(" Trace") + docker("back\n") + docker("ERROR: y\n")

    (event,) = find(lines)

    assert event.message == "y"


def test_words_that_look_like_a_piece_are_none():
    assert find("writes to stdout Please wait\n" * 3) == []


@CARRIERS
@pytest.mark.parametrize("place", [5, 26, 40])
def test_the_line_that_introduced_a_trace_may_be_cut_anywhere(carry, place):
    head = "2026-11-21 10:00:00,000 ERROR app.db query failed"
    lines = carry(cut_at(head, place)) + "".join(carry(cut_at(line)) for line in PYTHON.splitlines())

    (event,) = find(lines)

    assert (event.headline, event.block) == (head, lines)


@CARRIERS
def test_a_colour_may_be_cut_in_two(carry):
    line = "\x1b[31mERROR\x1b[0m disk is full"

    for place in range(1, len(line)):
        (event,) = find(carry(cut_at(line, place)))

        assert event.message == "disk is full"
