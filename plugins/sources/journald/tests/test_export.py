import random
import struct
import time
import tracemalloc

import pytest
from aiops_source_journald.export import LONGEST_FIELD, Entry, ExportError, ExportParser
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = st.from_regex(r"[A-Z0-9_]{1,20}", fullmatch=True).map(str.encode)
VALUES = st.binary(max_size=60)
ENTRIES = st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=8)


def written(pairs, *, binary=()):
    parts = []
    for name, value in pairs:
        if b"\n" in value or name in binary:
            parts.append(b"%s\n%s%s\n" % (name, struct.pack("<Q", len(value)), value))
        else:
            parts.append(b"%s=%s\n" % (name, value))
    return b"".join(parts) + b"\n"


def parsed(chunks, **named):
    parser = ExportParser(**named)
    entries = [entry for chunk in chunks for entry in parser.feed(chunk)]
    parser.close()
    return entries


def pairs_of(entry):
    return sorted([*entry.fields.items(), *entry.more])


def cut(data, places):
    places = sorted({min(place, len(data)) for place in places})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@given(st.lists(ENTRIES, max_size=6), st.lists(st.integers(0, 2000), max_size=12), st.sets(NAMES, max_size=3))
def test_any_entries_cut_anywhere_come_out_as_they_were_written(entries, places, binary):
    data = b"".join(written(entry, binary=binary) for entry in entries)

    found = parsed(cut(data, places))

    assert [pairs_of(entry) for entry in found] == [sorted(entry) for entry in entries]


def outcome(chunks):
    parser, entries = ExportParser(), []
    try:
        for chunk in chunks:
            entries += parser.feed(chunk)
        parser.close()
    except ExportError:
        return entries, True
    return entries, False


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_junk_raises_the_declared_error_or_nothing_wherever_it_is_cut(junk, places):
    assert outcome(cut(junk, places)) == outcome([junk])


@given(
    ENTRIES,
    st.integers(0, 400),
    st.binary(min_size=1, max_size=12),
    st.lists(st.integers(0, 500), max_size=6),
)
def test_damaged_entries_raise_the_declared_error_or_nothing(entry, place, damage, places):
    data = written(entry)
    place %= len(data)
    damaged = data[:place] + damage + data[place + len(damage) :]

    assert outcome(cut(damaged + data, places)) == outcome([damaged + data])


@settings(max_examples=20)
@given(st.integers(-3, 150), st.booleans(), st.lists(st.integers(0, LONGEST_FIELD + 500), max_size=5))
def test_case_37_of_a_field_at_the_limit_the_head_is_kept_wherever_it_is_cut(excess, is_binary, places):
    value = b"x" * (LONGEST_FIELD + excess)
    pairs = [(b"A", b"1"), (b"MESSAGE", value), (b"B", b"2")]
    data = written(pairs, binary={b"MESSAGE"} if is_binary else ()) + written([(b"C", b"3")])

    found = parsed(cut(data, places))

    lengths = {b"MESSAGE": len(value)} if excess > 0 else {}
    assert found == [
        Entry({b"A": b"1", b"MESSAGE": value[:LONGEST_FIELD], b"B": b"2"}, (), lengths),
        Entry({b"C": b"3"}),
    ]


@pytest.mark.parametrize("place", [-140, -9, -8, -1, 0, 1, 2, 8, 200])
def test_case_37_a_cut_near_the_limit_of_a_field_changes_nothing(place):
    value = bytes(random.Random(3).choices(b"abc", k=LONGEST_FIELD + 300))
    first = written([(b"A", b"\n\n")])[:-1]
    data = first + written([(b"MESSAGE", value)])
    place += len(first) + len(b"MESSAGE=") + LONGEST_FIELD

    entry = parsed([data[:place], data[place:]])[0]

    assert entry == Entry({b"A": b"\n\n", b"MESSAGE": value[:LONGEST_FIELD]}, (), {b"MESSAGE": len(value)})


def test_case_99_a_repeated_field_keeps_all_its_values_in_order():
    entry = parsed([b"A=1\nB=x\nA=2\nA=1\n\n"])[0]

    assert entry.values(b"A") == [b"1", b"2", b"1"]
    assert entry.fields == {b"A": b"1", b"B": b"x"}
    assert entry.values(b"C") == []


def test_a_binary_field_may_hold_what_looks_like_the_end_of_an_entry():
    value = b"a\n\nB=1\n\n__CURSOR=2\n\n"

    assert parsed([written([(b"A", value)]) * 2]) == [Entry({b"A": value})] * 2


def test_entries_before_junk_are_returned_and_then_it_is_told():
    parser = ExportParser()

    assert parser.feed(b"A=1\n\n-- Reboot --\n\nA=2\n\n") == [Entry({b"A": b"1"})]
    for _ in range(2):
        with pytest.raises(ExportError, match=r"^no name of a field in the journal export, at byte 5$"):
            parser.feed(b"")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"A=1\n", "the journal export stops inside an entry, after byte 4"),
        (b"A=1\nMESS", "the journal export stops inside an entry, after byte 8"),
        (b"lower=1\n\n", "no name of a field in the journal export, at byte 0"),
        (b"A\n" + struct.pack("<Q", 1) + b"ab\n\n", "a field of the journal export has no end, at byte 11"),
        (
            b"A\n" + b"\xff" * 8 + b"\n\n",
            "a field of 18446744073709551615 bytes in the journal export, at byte 0",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(data, told):
    with pytest.raises(ExportError) as raised:
        parsed([data])

    assert str(raised.value) == told


def test_a_field_of_a_hundred_megabytes_takes_little_memory():
    size = 100 << 20
    chunk = b"x" * (1 << 16)
    parser = ExportParser(keep=(b"MESSAGE",))
    tracemalloc.start()

    entries = parser.feed(b"MESSAGE=ok\nCOREDUMP\n" + struct.pack("<Q", size))
    for _ in range(size // len(chunk)):
        entries += parser.feed(chunk)
    entries += parser.feed(b"\n\n")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert entries == [Entry({b"MESSAGE": b"ok"})]
    assert peak < 8 << 20


def test_an_entry_in_small_pieces_takes_linear_time():
    data = written([(b"MESSAGE", b"x\n" * 100_000)])
    pieces = cut(data, range(0, len(data), 64))
    began = time.process_time()

    entries = parsed(pieces)

    assert len(entries[0].fields[b"MESSAGE"]) == 200_000
    assert time.process_time() - began < 5


@pytest.mark.parametrize("line", [b"NAME=value\n", b"NAME=value value value "])
def test_an_entry_that_does_not_end_takes_linear_time(line):
    parser, data = ExportParser(), line * (900_000 // len(line))
    began = time.process_time()

    entries = [entry for at in range(0, len(data), 32) for entry in parser.feed(data[at : at + 32])]

    assert entries == []
    assert time.process_time() - began < 6
    assert len(parser.feed(b"\n\n")) == 1


def test_many_entries_are_split_quickly():
    entry = b"".join(b"FIELD_%d=some value of usual length\n" % number for number in range(18)) + b"\n"
    data, parser, count = entry * 5000, ExportParser(), 0
    began = time.process_time()

    for chunk in cut(data, sorted(random.Random(1).sample(range(len(data)), 50))):
        count += len(parser.feed(chunk))

    assert count == 5000
    assert time.process_time() - began < 3
