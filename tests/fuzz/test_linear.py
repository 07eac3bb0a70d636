"""Four times as much hostile input takes about four times as long, whoever reads it."""

import os
import time

import pytest
from aiops_source_http.bodies import to_utf8
from aiops_source_http.lines import read_json, read_ndjson, read_plain
from aiops_source_http.records import Refusal
from aiops_source_journald.export import ExportError, ExportParser
from aiops_source_syslog.framing import Framer
from fuzzing import detection, detectors, traces

from aiops_core.records import LogBatch
from aiops_core.testing.detecting import find
from aiops_core.text.blocks import Cutter

SIZE = (256 if "AIOPS_FUZZ" in os.environ else 16) * 1024
BOUND = 8.0
"""Linear is 4, quadratic 16."""
QUICK = 0.03
"""Seconds below which a ratio says nothing, and nobody minds."""
TRACE = b"Traceback (most recent call last):\n"
LINES = {
    "at at at": b"at ",
    "open braces": b'{"a":',
    "open brackets": b"[",
    "quotes": b'"',
    "escapes": b"\\",
    "escaped quotes": b'\\"',
    "colours that never end": b"\x1b[",
    "links that never end": b"\x1b]8;;",
    "spaces": b" ",
    "colons": b"a:",
    "pairs": b'a="b',
    "dots": b"a.",
    "numbers": b"1",
    "causes": b"Caused by: ",
    "errors": b"Error: ",
    "frames": b"at a.b.c(D.java:1) ",
}
BLOCKS = {
    "causes": b"Caused by: java.lang.IllegalStateException: x\n",
    "frames": b"\tat a.b.C.d(E.java:1)\n",
    "traces in a row": TRACE,
    "frames of Python": b'  File "/a.py", line 1, in f\n    g()\n',
    "goroutines": b"goroutine 1 [running]:\n\n",
    "open records": b'{\n"stack": [\n',
    "braces": b"{\n",
    "indented": b"  x\n",
    "empty": b"\n",
    "carried pieces": b"2026-11-21T03:00:00Z stderr P at \n",
    "writers": b"[p1] ERROR x\n[p2] ERROR y\n",
    "records": b'{"level":"error","stack_trace":"Error: x\\n    at f (/a.js:1:1)"}\n',
    "levels": b"2026-11-21 03:00:00 ERROR app: no\n",
}
WITHIN = (b" ", b"\t", b"=", b"-", b"9", b"a.", b"::")
"""What the forms of reports have in several places one after the other."""
HEADS = {"": b"", "Python": TRACE, "Java": b"java.lang.Error: x\n\tat a.b(C.java:1)\n", "Go": b"panic: x\n\n"}


def detect(data):
    cutter, batch = Cutter(detection().grammar, 0), LogBatch("s", b"", ((0, {}),))
    for start in range(0, len(data), 1 << 20):
        for claim in cutter.feed(data[start : start + (1 << 20)])[0]:
            detection().events(claim, batch=batch)
    for claim in cutter.flush():
        detection().events(claim, batch=batch)


def journal(data):
    parser = ExportParser()
    try:
        for start in range(0, len(data), 1 << 16):
            parser.feed(data[start : start + (1 << 16)])
    except ExportError:
        pass


def syslog(data):
    framer = Framer(1 << 16)
    for start in range(0, len(data), 4096):
        framer.feed(data[start : start + 4096])
    framer.finish()


def http(data):
    for read in (read_plain, read_ndjson, read_json, lambda body: to_utf8(body, "utf-16")):
        try:
            read(data)
        except Refusal:
            pass


def seconds(work, data):
    began = time.process_time()
    work(data)
    return time.process_time() - began


def assert_linear(work, make, least=SIZE):
    work(make(100))
    for attempt in range(3):
        size = least + 100 * attempt  # what was read before may come from a cache
        base, took = seconds(work, make(size)), seconds(work, make(4 * size))
        if took < max(QUICK, BOUND * base):
            return
    raise AssertionError(f"4 times the input took {took / base:.0f} times as long, {took:.2f} s in the end")


def repeated(piece, head=b"", tail=b"\n"):
    return lambda size: head + piece * (size // len(piece)) + tail


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("piece", LINES)
def test_a_line_of_one_piece_is_read_in_linear_time(piece, head):
    assert_linear(detect, repeated(LINES[piece], HEADS[head]))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("piece", BLOCKS)
def test_lines_of_one_kind_are_read_in_linear_time(piece, head):
    assert_linear(detect, repeated(BLOCKS[piece], HEADS[head]))


@pytest.mark.parametrize("name", sorted(detectors()))
def test_a_long_line_within_a_report_is_read_in_linear_time(name):
    found = [
        trace for trace in traces(name) if b"\n" in trace.strip() and find(detectors()[name], text=trace)
    ]
    for trace in found[:2]:
        first, *rest = trace.splitlines(keepends=True)
        for piece in WITHIN:

            def reports(size, first=first, rest=rest, piece=piece):
                long = piece * (size // len(piece))  # up to 4 kB: nothing longer is looked at closely
                return (first + long + b"\n" + b"".join(rest)) * 6

            assert_linear(detect, reports, 900)


@pytest.mark.parametrize("work", [journal, syslog, http])
@pytest.mark.parametrize("piece", [*LINES.values(), *BLOCKS.values(), b"A=B\n", b"A\n", b"<1>", b"9", b"9 "])
def test_what_a_parser_reads_takes_linear_time(work, piece):
    assert_linear(work, repeated(piece))


@pytest.mark.full
def test_ten_megabytes_of_causes_are_read_in_linear_time():
    assert_linear(detect, repeated(BLOCKS["causes"], HEADS["Java"]), 10 << 18)
