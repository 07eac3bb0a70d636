"""Damaged logs through everything between a source and the store: no exception, nothing outside the bytes."""

from itertools import pairwise

import pytest
from fuzzing import JUNK, detection, detectors, logs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aiops_core.handover import events_from
from aiops_core.records import Block, LogBatch
from aiops_core.text.blocks import Cutter
from aiops_core.text.carriers import carrier_of
from aiops_core.text.fields import read_record
from aiops_core.text.spread import spread_record
from aiops_core.text.unwrap import decode_line

FUZZ = settings.get_profile("fuzz")


@settings(FUZZ)
@example(b"2026-11-21T03:00:00Z stderr F\xff\xfe Traceback (most recent call last):\n", [])
@given(logs(), st.lists(st.floats(0, 1), max_size=4))
def test_any_log_in_any_pieces_becomes_events_inside_it(data, places):
    ends = sorted({0, len(data), *(data.find(b"\n", int(at * (len(data) - 1))) + 1 for at in places)})
    cutter = Cutter(detection().grammar, 0)
    events = []

    for start, end in pairwise(ends):
        batch = LogBatch("s", data[start:end], ((0, {}),), offset=start)
        for claim in cutter.feed(batch.data)[0]:
            events += detection().events(claim, batch=batch)
    for claim in cutter.flush():
        events += detection().events(claim, batch=batch)

    assert all(0 <= event.start < event.end <= len(data) for event in events)
    assert all(event.fingerprint and event.severity for event in events)


@pytest.mark.parametrize("name", sorted(detectors()))
def test_any_block_is_an_event_or_none(name):
    detector = detectors()[name]

    @settings(FUZZ)
    @given(logs(), st.booleans(), st.sampled_from(["", "2026-11-21 ERROR app: failed", "\ud800\0"]))
    def is_read(data, truncated, headline):
        lines = tuple(decode_line(line) for line in data.split(b"\n"))
        block = Block(lines, headline=headline, raw=data.decode("utf-8", "replace"), truncated=truncated)
        events_from(detector.detect(block))

    is_read()


@settings(FUZZ)
@given(st.lists(st.sampled_from(JUNK) | st.binary(max_size=6), max_size=12).map(b"".join) | logs())
def test_any_line_is_unwrapped(raw):
    for line in raw.split(b"\n"):
        decode_line(line + b"\n")
        carrier_of(line)
        read_record(decode_line(line))
    spread_record(raw, max(raw.rfind(b"\n") + 1, 0), 0)
