import pytest

from aiops_core import Event, Frame, RaisedException
from aiops_core.text.similarity import NEAR, similarity


def trace(type_, *functions, language="python"):
    frames = tuple(Frame(file="a.py", function=name) for name in functions)
    return Event(type=type_, language=language, exceptions=(RaisedException(type_, "x", frames),))


def line(message):
    return Event(type="LogError", message=message, detector="levels")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (trace("E", "main", "sell", "total"), trace("E", "main", "sell", "total")),
        (trace("E", "main", "sell", "total"), trace("E", "main", "sell", "total", "tax")),
        (trace("E", "main", "shop", "sell", "total"), trace("F", "main", "shop", "sell", "total")),
        (line("cannot reach the bank of user 5: timed out"), line("cannot reach bank of user 7: timed out")),
    ],
)
def test_problems_that_differ_a_little_are_near(one, other):
    expected = similarity(other, one)

    assert expected == similarity(one, other)
    assert (expected >= NEAR) == (one.type == other.type)
    assert expected >= 0.6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (trace("E", "main", "sell", "total"), trace("E", "main", "login", "check")),
        (trace("E", "main", "sell"), trace("E", "main", "sell", language="java")),
        (trace("E", "sell"), line("sell")),
        (line("user 5 is gone"), line("user 7 is here")),
        (line(""), line("disk full")),
    ],
)
def test_problems_with_little_in_common_are_not_near(one, other):
    assert similarity(one, other) < NEAR


def test_one_problem_is_as_alike_as_can_be():
    assert similarity(line("user 5 is gone"), line("user 6 is gone")) == 1
    assert similarity(trace("E"), trace("E")) == 1
