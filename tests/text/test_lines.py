"""The lines a detector may reach back to."""

import pytest

from aiops_core.text.lines import line_starts


@pytest.mark.parametrize("length", [0, 10, 1_000])
def test_the_lines_above_are_those_down_from_the_floor_however_long(length):
    starts = [number * (length + 1) for number in range(60)]
    data = (b"x" * length + b"\n") * 60

    assert line_starts(data, starts[50], 0, 24) == starts[26:51]
    assert line_starts(data, starts[50], starts[45], 24) == starts[45:51]
    assert line_starts(data, 0, 0, 24) == [0]
