"""How bytes become messages, whatever the reads were."""

import time

import pytest
from aiops_source_syslog.framing import Framer
from aiops_source_syslog.messages import lines_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

FIRST = b"<13>1 2026-05-04T12:00:00Z web shop 7 - - one"
SECOND = b"<11>May  4 12:00:01 web shop[7]: two"


def frames(*reads, limit=1024):
    framer = Framer(limit)
    found = [frame for read in reads for frame in framer.feed(read)]
    rest = framer.finish()
    return found + ([rest] if rest else [])


def told(*reads, limit=1024):
    """Return the lines and messages found, pieces of several lines taken apart."""
    found = []
    for frame in frames(*reads, limit=limit):
        texts = frame.data.split(b"\n") if frame.is_lines else [frame.data]
        found += [(text.rstrip(b"\0"), frame.is_cut) for text in texts]
    return found


def counted(message):
    return b"%d %s" % (len(message), message)


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (FIRST + b"\n" + SECOND + b"\n", [FIRST, SECOND]),
        (counted(FIRST) + counted(SECOND), [FIRST, SECOND]),
        (counted(FIRST) + SECOND + b"\n" + counted(FIRST), [FIRST, SECOND, FIRST]),
        (FIRST + b"\n" + counted(SECOND) + FIRST + b"\n", [FIRST, SECOND, FIRST]),
        (counted(b"<13>a\nb\n") + counted(SECOND), [b"<13>a\nb\n", SECOND]),
        (counted(FIRST) + b"\n" + counted(SECOND) + b"\r\n", [FIRST, SECOND]),
        (counted(FIRST) + counted(b"no priority"), [FIRST, b"no priority"]),
        (FIRST + b"\0" + SECOND + b"\0" + FIRST + b"\0", [FIRST, SECOND, FIRST]),
        (b"404 not found\n12 monkeys\n2026\n", [b"404 not found", b"12 monkeys", b"2026"]),
        (b"one\n\ntwo\n", [b"one", b"", b"two"]),
        (b"one\ntwo", [b"one", b"two"]),
        (b"0 <13>zero\n", [b"0 <13>zero"]),
    ],
)
def test_each_message_is_framed_as_it_comes(stream, messages):
    assert [data for data, _ in told(stream)] == messages
    assert [data for data, _ in told(*(stream[i : i + 1] for i in range(len(stream))))] == messages


PIECES = st.sampled_from(
    [b"\n", b"\0", b"\r\n", b"<13>", b"<1", b" ", b"5 <13>a", b"12 ", b"9", b"x" * 30, FIRST, counted(FIRST)]
)


@settings(max_examples=300, deadline=None)
@example(b"x" * 44 + b"\0\0<13>a\n", [47])
@given(st.lists(PIECES, max_size=12).map(b"".join), st.lists(st.integers(0, 400), max_size=8).map(sorted))
def test_any_cutting_of_the_bytes_gives_the_same_messages(stream, cuts):
    reads = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    assert told(*reads, limit=40) == told(stream, limit=40)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 50))
def test_arbitrary_bytes_are_framed_within_the_limit(stream, limit):
    reads = [stream[i : i + 7] for i in range(0, len(stream), 7)]

    assert all(len(data) <= limit + 6 for data, _ in told(*reads, limit=limit))


def test_case_29_a_line_end_split_over_two_reads_is_one_line_end():
    assert told(b"a\r", b"\nb\r\n") == [(b"a\r", False), (b"b\r", False)]  # the core takes the CR off


def test_case_34_a_character_split_over_two_reads_is_whole():
    assert told(b"gr\xc3", b"\xbc\xc3\x9fe\n") == [("grüße".encode(), False)]


def test_case_35_nuls_inside_a_line_stay():
    assert told(b"a\0b\nc\n") == [(b"a\0b", False), (b"c", False)]


@pytest.mark.parametrize(
    ("length", "is_cut", "kept"), [(99, False, 99), (100, False, 100), (101, True, 100), (5000, True, 100)]
)
def test_case_37_a_line_of_exactly_the_limit_is_whole_and_a_longer_one_is_cut(length, is_cut, kept):
    stream = b"x" * length + b"\nnext\n"

    for size in (1, 10, 10_000):
        reads = [stream[i : i + size] for i in range(0, len(stream), size)]
        assert told(*reads, limit=100) == [(b"x" * kept, is_cut), (b"next", False)]


def test_case_37_a_line_that_never_ends_is_told_once_and_takes_no_memory():
    framer = Framer(1000)

    found = [frame for _ in range(5000) for frame in framer.feed(b"x" * 1000)]

    assert [(len(frame.data), frame.is_cut) for frame in found] == [(1000, True)]
    assert len(framer._buffer) < 2000
    assert framer.feed(b"\nnext\n")[-1].data == b"next"


def test_a_counted_message_over_the_limit_is_cut_and_its_length_is_known():
    stream = counted(b"<13>" + b"x" * 5000) + counted(FIRST)

    first, second = frames(stream, limit=100)

    assert (len(first.data), first.is_cut, first.size) == (100, True, 5004)
    assert (second.data, second.is_cut) == (FIRST, False)


def test_a_counted_message_that_breaks_off_is_marked():
    assert told(b"500 <13>half") == [(b"<13>half", True)]


def test_many_line_ends_nuls_or_counts_is_read_in_linear_time():
    began = time.process_time()

    for unit in (b"\n", b"\0", b"\0\n", b"1 <", b"\n1 ", b"<13>\0", b"9"):
        stream = unit * (100_000 // len(unit))
        for at in range(0, len(stream), 65536):
            frames(stream[at : at + 65536], limit=256 * 1024)

    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("header", "repeated"),
    [
        (b"<11>1 2026-05-04T12:00:00Z web shop 7 - - ", None),
        (b'<11>1 2026-05-04T12:00:00Z web shop 7 id [a@1 x="] \\" y"][b@2] ', None),
        (
            b"<11>1 2026-05-04T12:00:00Z web shop 7 - - \xef\xbb\xbf",
            b"<11>1 2026-05-04T12:00:00Z web shop 7 - - ",
        ),
        (b'<11>1 - - - - - [a@1 x="two\nlines"] ', b'<11>1 - - - - - [a@1 x="two lines"] '),
        (b"<11>May  4 12:00:00 web shop[7]: ", None),
        (b"<11>2026-05-04T12:00:00.123+02:00 web shop: ", None),
        (b"<27>May  4 12:00:00 docker/shop[7]: ", None),
        (b"<11>May 4 2026 12:00:00.123 shop: ", None),
        (b"<11>May  4 12:00:00 web my shop[7]: ", None),
        (b"<11>my-shop: ", None),
        (b"<11>Shop[7]: ", None),
        (b"<11>", None),
        (b"", None),
    ],
)
def test_every_line_of_a_message_gets_its_header(header, repeated):
    under = repeated if repeated is not None else header

    found, is_short = lines_of(header + b"Traceback:\n  File\n\nE: x\r\n\0", 10_000)

    assert found == b"".join(under + line + b"\n" for line in (b"Traceback:", b"  File", b"", b"E: x"))
    assert not is_short


def test_the_name_of_an_exception_is_no_tag():
    found, _ = lines_of(b"<11>May  4 12:00:00 java.io.IOException: gone\n\tat A.b(A.java:1)", 1000)

    under = b"<11>May  4 12:00:00 "
    assert found == under + b"java.io.IOException: gone\n" + under + b"\tat A.b(A.java:1)\n"


def test_a_message_that_begins_with_a_line_end_keeps_its_header():
    header = b"<11>1 2026-05-04T12:00:00Z web shop 7 - -"

    assert lines_of(header + b"\nTraceback", 1000)[0] == header + b" \n" + header + b" Traceback\n"


def test_a_byte_order_mark_before_a_message_goes():
    assert lines_of(b"\xef\xbb\xbf<13>text", 1000) == (b"<13>text\n", False)


def test_repeating_a_long_header_ends_somewhere():
    header = b'<11>1 2026-05-04T12:00:00Z web shop 7 - [a@1 x="' + b"y" * 900 + b'"] '

    found, is_short = lines_of(header + b"\n" * 100_000 + b"end", 1000)

    assert is_short
    assert 0 < len(found) <= 4000


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([b"<13>", b"1 ", b"- ", b"[a", b'"', b"\\", b"]", b"\n", b" x: "]), max_size=30)
)
def test_no_message_breaks_the_reader(parts):
    found, _ = lines_of(b"".join(parts), 100_000)

    assert found.endswith(b"\n")


def test_a_header_that_never_closes_is_given_up_in_linear_time():
    began = time.process_time()

    for unit in (b"[", b'["', b"[\\", b'[a x="b"]', b"[]", b"a "):
        lines_of(b"<11>1 2026-05-04T12:00:00Z web shop 7 - " + unit * 100_000 + b"\nx", 1 << 20)

    assert time.process_time() - began < 5
