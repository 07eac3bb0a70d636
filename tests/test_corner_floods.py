"""Corner cases 96 to 98: more traces, and worse, than anybody wants to read."""

import time
from itertools import pairwise

from corner_scene import all_detectors

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
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def test_case_96_traces_in_a_row_are_an_event_each():
    data = traces(100_000)

    found = fed(data)

    assert len(found) == 100_000
    assert found[0][0] == 0
    assert found[-1][1] == len(data)
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_case_96_traces_in_a_row_take_time_in_proportion():
    few, many = traces(1_000), traces(8_000)

    ratio = seconds(lambda: fed(many)) / seconds(lambda: fed(few))

    assert ratio < 8 * 3
