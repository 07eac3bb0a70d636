"""What a service holds is written so that the core reads from it what was known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_core import carry
from aiops_core.text.carriers import carrier_of

TIME = 1_795_244_370_123_456_789
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


def read(data):
    return [carrier_of(line + b"\n")[1] for line in data.split(b"\n")[:-1]]


def test_a_text_comes_out_with_all_that_was_known():
    data = carry(
        "no price\n  in cart\n",
        time=TIME,
        level="Error",
        host="web1",
        service="shop",
        pid="7",
        attributes={"stream": 's"1]', "release": "1.4", "empty": ""},
    )

    first, second = read(data)
    assert (first.text, second.text) == ("no price", "  in cart")
    assert first.stream == second.stream
    assert first.severity == "error"
    assert first.envelope == "2026-11-21T06:59:30.123456Z"
    assert first.attributes == {
        "host": "web1",
        "service": "shop",
        "pid": "7",
        "stream": 's"1]',
        "release": "1.4",
    }


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        ("fatal", "critical"),
        ("ERR", "error"),
        ("50", "error"),
        ("3", "error"),
        ("warn", "warning"),
        ("", "info"),
    ],
)
def test_levels_by_name_and_number_become_severities(level, severity):
    assert read(carry("m", time=TIME, level=level, attributes={}))[0].severity == severity


def test_of_a_long_text_the_beginning_is_kept_and_its_length_told():
    lines = read(carry("x\n" * 6000, time=TIME, attributes={}))

    assert len(lines) == 5000
    assert lines[0].attributes == {"truncated": "true", "original_bytes": "11999"}


def test_a_time_no_calendar_has_is_left_out():
    assert read(carry("m", time=10**30, attributes={}))[0].envelope == "-"


@given(WORDS, WORDS, WORDS, WORDS, st.dictionaries(WORDS, WORDS, max_size=3), st.integers(0, 10**20))
def test_whatever_is_written_is_read_as_lines_of_one_writer(text, host, service, level, attributes, time):
    data = carry(text, time=time, level=level, host=host, service=service, attributes=attributes)

    assert data.endswith(b"\n")
    assert len({carried.stream for carried in read(data)}) == 1
