from time import process_time

import pytest

from aiops_core.text.unwrap import decode_line, learn_prefix, strip_ansi


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain\n", "plain"),
        (b"plain", "plain"),
        (b"plain\r\n", "plain"),
        (b"two\r\r\n", "two\r"),
        (b"c\rd\n", "c\rd"),
        (b"\r\n", ""),
        (b"\n", ""),
        (b"", ""),
        (b"cr at the end of the stream\r", "cr at the end of the stream\r"),
        (b"  kept  \t\n", "  kept  \t"),
        ("grün €\n".encode(), "grün €"),
        (b"bad \xff\xfe \xc3( end\n", "bad \ufffd\ufffd \ufffd( end"),
        (b"caf\xe9\n", "caf\ufffd"),
        (b"a\x00b\n", "a\x00b"),
        (b"\x00\x00behind a hole\n", "behind a hole"),
        (b"\x1b[1;31mERROR\x1b[0m boom\x1b[K\n", "ERROR boom"),
        (b"\x1b]8;;http://x\x07link\x1b]8;;\x1b\\ end\n", "link end"),
    ],
)
def test_a_line_becomes_text(raw, text):
    assert decode_line(raw) == text


def test_an_unfinished_colour_is_text():
    assert strip_ansi("\x1b[31") == "\x1b[31"


@pytest.mark.parametrize(
    ("prefix", "line", "rest"),
    [
        ("2026-01-01T00:00:00.000Z svc-api ", "2026-01-01T00:00:00.001Z svc-api   File", "  File"),
        ("2026-01-01T00:00:00.000Z svc-api ", "2026-01-01T00:00:01Z svc-api x", None),
        ("2026-01-01T00:00:00.9Z svc-api ", "2026-12-31T23:59:59.12345Z svc-api x", "x"),
        ("2026-01-01T00:00:00.000Z svc-api ", "2026-01-01T00:00:00.001Z svc-pay x", None),
        ("[p1] ", "[p1]   File", "  File"),
        ("[p1] ", "[p12] x", "x"),
        ("[p1] ", "[q1] x", None),
        ("app_1  | ", "app_1  |     code", "    code"),
        ("app_1  | ", "app_1  |", ""),
        ("app_1  | ", "  File", None),
        ("10:00 ERROR [main] ", "10:01 INFO  [main] x", "x"),
        ("10:00 INFO  [main] ", "10:01 ERROR [main] x", "x"),
        ("ERROR:root:", "WARNING:root:x", "x"),
        ("Nov  1 03:55:01 h a[1]: ", "Dec 31 03:55:01 h a[1]: x", "x"),
        ("    ", "      File", "  File"),
        ("    ", "", ""),
        ("    ", "x", None),
        ("thread 0x7f5c ", "thread 0xdeadbeef x", "x"),
        ("a.b*(c)+ ", "a.b*(c)+ x", "x"),
        ("a.b ", "axb x", None),
        ("", "x", "x"),
        ("svc1", "svc12", ""),
        ("svc1", "svc1x", None),
    ],
)
def test_a_prefix_of_the_same_shape_is_cut(prefix, line, rest):
    assert learn_prefix(prefix)(line) == (line if rest is None else rest)


def test_hostile_lines_take_linear_time():
    started = process_time()

    learn_prefix("2026-01-01T00:00:00.000Z svc-api ")("1" * 1_000_000)
    learn_prefix("1 " * 300)("1 " * 500_000)
    strip_ansi("\x1b[" * 300_000)
    strip_ansi("\x1b]" * 300_000)

    assert process_time() - started < 6
