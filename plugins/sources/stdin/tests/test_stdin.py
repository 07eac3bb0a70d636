import fcntl
import io
import os
import random
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from aiops_source_stdin import StdinSource

from aiops_core import LONGEST_LINE, Context, LineCutter, UserError
from aiops_core.testing import run_pipeline

AIOPS = Path(sys.executable).parent / "aiops"
PIPELINE = "pipelines: {shop: {sources: [stdin], detectors: [python]}}"
CRASH = b'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    x()\nValueError: no price'


@pytest.fixture
def pipe(monkeypatch):
    """Make a pipe the standard input; return the end one writes to."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end) as stdin, os.fdopen(write_end, "wb", buffering=0) as writer:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield writer


@pytest.fixture
def source():
    return StdinSource(context=Context(pipeline="shop", name="stdin"))


def batches_of(data, tmp_path, monkeypatch, source):
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        return list(source.source({}))


def test_what_a_pipe_delivers_is_read_in_whole_lines_as_it_comes(pipe, source):
    batches = source.source({})

    pipe.write(b"one\ntwo-par")
    first = next(batches)
    pipe.write(b"tial\nthree\n")
    second = next(batches)
    pipe.close()
    last = next(batches)

    assert [(b.offset, b.data, b.ended) for b in (first, second, last)] == [
        (0, b"one\n", False),
        (4, b"two-partial\nthree\n", False),
        (22, b"", True),
    ]
    assert second.marks == ((0, {"offset": 4}), (18, {"offset": 22}))
    assert (first.path, len({b.stream for b in (first, second, last)})) == ("standard input", 1)
    assert list(batches) == []


def test_case_50_a_last_line_without_an_end_comes_at_the_end(tmp_path, monkeypatch, source):
    batches = batches_of(b"one\nlast", tmp_path, monkeypatch, source)

    assert [(b.offset, b.data, b.ended) for b in batches] == [(0, b"one\n", False), (4, b"last", True)]


def test_case_50_a_writer_that_pauses_inside_a_line_does_not_split_it(pipe, source, monkeypatch):
    monkeypatch.setattr("aiops_source_stdin.source._TICK", 10)
    timer = threading.Timer(0.1, lambda: (pipe.write(b"lf\n"), pipe.close()))
    pipe.write(b"one ha")
    timer.start()

    assert b"".join(batch.data for batch in source.source({})) == b"one half\n"
    timer.join()


def test_case_50_a_reader_that_ends_early_ends_the_run_cleanly(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("detectors", "notifiers: [console], detectors"))
    run = subprocess.Popen(
        [AIOPS, "run"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )

    run.stdout.close()
    _, errors = run.communicate(b"one\n" + CRASH, timeout=20)

    assert b"incident 1: new" in errors
    assert b"Traceback" not in errors.replace(CRASH.partition(b"\n")[0], b"")


def test_bytes_stay_as_they_are(tmp_path, monkeypatch, source):
    data = b"a\r\nb\r\n\r\n\nc\rd\n \0 \xff\xfe caf\xe9\n"

    batches = batches_of(data, tmp_path, monkeypatch, source)

    assert b"".join(batch.data for batch in batches) == data


def test_empty_input_ends_at_once(tmp_path, monkeypatch, source):
    assert [(b.data, b.ended) for b in batches_of(b"", tmp_path, monkeypatch, source)] == [(b"", True)]


def test_a_stop_is_honoured_within_a_second_while_nothing_comes(pipe, source):
    began = time.monotonic()
    threading.Timer(0.05, source.context.stopping.set).start()

    assert list(source.source({})) == []
    assert time.monotonic() - began < 5


def test_every_start_is_a_stream_of_its_own_from_byte_0_on(tmp_path, monkeypatch, source):
    first = batches_of(b"one\n", tmp_path, monkeypatch, source)
    again = batches_of(b"one\n", tmp_path, monkeypatch, source)

    assert first[0].stream != again[0].stream
    assert first[0].offset == again[0].offset == 0


def test_standard_input_that_is_closed_is_told(monkeypatch):
    told = "standard input is closed. Give it something to read, as in 'aiops run < app.log'"
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()

    for stdin in (None, closed):
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(UserError) as raised:
            StdinSource().start()

        assert str(raised.value) == told


def test_a_second_source_that_reads_it_is_refused(tmp_path, pipe):
    twice = "pipelines: {shop: {sources: [stdin]}, bank: {sources: [{uses: stdin, name: second}]}}"

    assert run_pipeline(twice, {}, tmp_path).error == (
        "pipeline.yaml:1:56: sources[0] (stdin): standard input is taken by source stdin of shop already. "
        "Only one can have it: change or remove one of them"
    )


def test_a_trace_on_standard_input_is_an_event_in_every_run(tmp_path, monkeypatch):
    (tmp_path / "in").write_bytes(b"starting\n" + CRASH)

    for count in (1, 2):
        with (tmp_path / "in").open() as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            result = run_pipeline(PIPELINE, {}, tmp_path)

        assert (result.error, [incident.count for incident in result.incidents]) == ("", [count])
    assert (result.events[0].start, result.events[0].end) == (9, 9 + len(CRASH))


# -- lines --------------------------------------------------------------------------------------


def pieces(*chunks):
    cutter = LineCutter()
    found = [piece for chunk in chunks for piece in cutter.feed(chunk)]
    return [*found, cutter.rest()]


def test_case_36_of_an_over_long_line_the_head_is_kept_and_its_neighbours_are_whole():
    chunk = b"x" * LONGEST_LINE

    first, head, last, rest = pieces(b"first\n", *[chunk] * 10, b"\nlast\n")

    assert first == (0, b"first\n", False, 0)
    assert head == (6, chunk + b"\n", True, 0)
    assert last == (6 + 10 * LONGEST_LINE + 1, b"last\n", False, 0)
    assert rest.data == b""


@pytest.mark.parametrize("size", [1, 1000, LONGEST_LINE])
def test_case_37_the_limit_is_exact_however_the_line_comes(size):
    for excess in (0, 1):
        line = b"x" * (LONGEST_LINE + excess)
        data = b"a\n" + line + b"\nb\n"
        chunks = (
            [data[at : at + size] for at in range(0, len(data), size)] if size > 1 else [data[:2], line[:-1]]
        )
        if size == 1:
            chunks += [line[-1:], b"\n", b"b", b"\n"]

        found = pieces(*chunks)

        text = b"".join(piece.data for piece in found)
        assert text == b"a\n" + line[:LONGEST_LINE] + b"\nb\n"
        assert [piece.is_cut for piece in found].count(True) == excess
        assert found[-1].offset == len(data)


def test_case_37_the_length_of_a_line_is_told_where_its_end_is_known():
    line = b"x" * (LONGEST_LINE + 5)

    head = pieces(line[:10], line[10:] + b"\n")[0]

    assert (head.is_cut, head.original_bytes, len(head.data)) == (True, len(line), LONGEST_LINE + 1)


def test_offsets_are_those_of_the_input_however_it_is_cut():
    generator = random.Random(7)
    data = b"".join(b"line %d %s\n" % (n, b"y" * generator.randrange(200)) for n in range(300)) + b"rest"
    places = sorted(generator.sample(range(len(data)), 80))

    found = pieces(*[data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)])

    assert all(data[piece.offset :].startswith(piece.data) for piece in found)
    assert b"".join(piece.data for piece in found) == data


def is_unread(pipe):
    """Whether something that was written to a pipe is still in it."""
    return fcntl.ioctl(pipe.fileno(), termios.FIONREAD, bytes(4)) != bytes(4)


def test_a_block_that_is_open_at_a_stop_is_not_lost(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    command = [AIOPS, "run", "pipeline.yaml"]
    run = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdin is not None
    assert run.stderr is not None
    next(line for line in run.stderr if "watching" in line)

    run.stdin.write("before\n" + CRASH.decode() + "\n")
    run.stdin.flush()
    while is_unread(run.stdin):
        time.sleep(0.01)
    run.terminate()
    run.communicate(timeout=60)

    shown = subprocess.run(
        [AIOPS, "incidents", "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "no price" in shown.stdout, shown
