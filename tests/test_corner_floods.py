"""Corner cases 96 to 98: more traces, and worse, than anybody wants to read."""

import time
from itertools import pairwise

import pytest
from corner_scene import DOTNET, JAVA, NODE, PLAIN, PYTHON, all_detectors, find

from aiops_core.text.blocks import Cutter


def traces(count):
    """Return this many traces in a row, every one of another line and message."""
    one = 'Traceback (most recent call last):\n  File "/srv/shop/a.py", line {n}, in f\n    g()\nValueError: {n}\n'
    return "".join(one.format(n=number) for number in range(1, count + 1)).encode()


def fed(data, size=1 << 20):
    """Feed the text in chunks of whole lines; return (start, end) of every claim."""
    cutter, places, at = Cutter(all_detectors().grammar, 0), [], 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + size) + 1 or len(data)
        places += [(claim.start, claim.end) for claim in cutter.feed(data[at:end])[0]]
        at = end
    return [*places, *((claim.start, claim.end) for claim in cutter.flush())]


def seconds(work):
    """Return the least time of two tries."""
    times = []
    for _ in range(2):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.full)])
def test_case_96_traces_in_a_row_are_an_event_each(count):
    data = traces(count)

    found = fed(data)

    assert len(found) == count
    assert found[0][0] == 0
    assert found[-1][1] == len(data)
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_case_96_traces_in_a_row_take_time_in_proportion():
    few, many = traces(1_000), traces(8_000)

    ratio = seconds(lambda: fed(many)) / seconds(lambda: fed(few))

    assert ratio < 8 * 3


HOSTILE = {
    "at": lambda size: "at " * (size // 3) + "\n",
    "at under a head": lambda size: "java.lang.IllegalStateException: x\n\tat " + "at " * (size // 3) + "\n",
    "Caused by": lambda size: "Caused by:\n" * (size // 11),
    "Caused by under a head": lambda size: (
        NODE + JAVA + "Caused by: java.io.IOException: disk\n" * (5_000 + size // 38)
    ),  # the cap of a block is passed however few: what comes behind it costs more
    "Traceback": lambda size: "Traceback (most recent call last):\n" * (size // 35),
    "goroutine": lambda size: "panic: x\n\n" + "goroutine 1 [running]:\n\n" * (size // 24),
    "data race": lambda size: "==================\nWARNING: DATA RACE\n" * (size // 38),
    "inner exception": lambda size: DOTNET + " ---> System.X: a\n" * (size // 18),
    "open braces": lambda size: NODE.rstrip("\n") + " {\n" + "  a: {\n" * (size // 7),
    "open record": lambda size: "{\n" + '  "stack": "Error: x",\n' * (size // 24),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_case_97_hostile_text_takes_time_in_proportion_and_the_caps_hold(name):
    few, many = (HOSTILE[name](size).encode() for size in (50_000, 400_000))
    claims = []

    ratio = seconds(lambda: claims.extend(fed(many))) / max(seconds(lambda: fed(few)), 0.005)

    assert ratio < 8 * 3
    assert all(end - start <= 1 << 20 for start, end in claims)
    assert all(many[start:end].count(b"\n") <= 5_000 for start, end in claims)


def test_case_97_a_line_of_a_megabyte_after_the_head_of_a_trace_hides_no_error_behind_it():
    line = "at " * (1 << 18) + "\n"

    events = find("java.lang.IllegalStateException: x\n\t" + line + PYTHON)

    assert events[-1].message == "card of ada refused"


@pytest.mark.parametrize(
    "head",
    [
        "Traceback (most recent call last):",
        "java.lang.IllegalStateException: shelf is empty",
        "TypeError: order is undefined",
        "goroutine 18 [running]:",
        "Caused by: java.io.IOException: disk is gone",
    ],
)
def test_case_98_a_head_without_a_trace_and_the_line_after_it_are_released_at_once_and_in_order(head):
    lines = f"{head}\nINFO the day goes on\n"
    cutter = Cutter(all_detectors().grammar, 0)

    claims = [claim for line in lines.splitlines(keepends=True) for claim in cutter.feed(line.encode())[0]]

    assert (claims, cutter.is_open, cutter.low_water) == ([], False, len(lines))
    kind = "".join(filter(str.isalpha, head))  # a trace of its own: of known ones nobody keeps the context
    (event,) = find(lines + PYTHON.replace("CardRefused", kind) + PLAIN)
    assert event.context_before == (head, "INFO the day goes on")
