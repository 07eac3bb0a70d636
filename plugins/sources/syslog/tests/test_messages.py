"""Messages over real sockets: what arrives, from whom, and how it is marked."""

import socket

import pytest

FIRST = b"<13>1 2026-05-04T12:00:00Z web shop 7 - - one"
SECOND = b"<11>May  4 12:00:01 web shop[7]: two"
TRACE = b'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: bad'


def counted(message):
    return b"%d %s" % (len(message), message)


def test_lines_over_tcp_arrive_as_they_are(listener):
    source = listener()

    source.send(FIRST + b"\n" + SECOND + b"\n")

    source.wait_for(FIRST + b"\n" + SECOND + b"\n")
    [batch] = source.chunks
    assert (batch.stream, dict(batch.attributes)) == ("tcp/0", {"peer": "127.0.0.1"})
    assert batch.position_at(10) == {"received": 10}
    assert batch.end == {"received": len(source.data)}


def test_counted_messages_over_tcp_become_lines(listener):
    source = listener()

    source.send(counted(FIRST), counted(SECOND))

    source.wait_for(FIRST + b"\n" + SECOND + b"\n")


def test_a_connection_is_a_stream_and_its_end_ends_it(listener):
    source = listener()

    with source.connect() as one, source.connect() as other:
        one.sendall(b"<13>a\n")
        source.wait_for(b"<13>a\n")
        other.sendall(b"<13>b\n")
        source.wait_for(b"<13>a\n<13>b\n")

    source.wait(lambda: sum(batch.ended for batch in source.batches) == 2)
    assert [batch.stream for batch in source.chunks] == ["tcp/0", "tcp/1"]


def test_a_stream_used_again_goes_on_above_all_that_was_received(listener):
    source = listener()

    for times in range(1, 4):
        source.send(b"<13>a\n")
        source.wait(lambda times=times: sum(batch.ended for batch in source.batches) == times)
    source.stop().start()
    source.send(b"<13>b\n")

    source.wait(lambda: source.data.endswith(b"b\n"))
    assert [(batch.stream, batch.offset) for batch in source.chunks] == [
        ("tcp/0", 0),
        ("tcp/0", 6),
        ("tcp/0", 12),
        ("tcp/0", 18),
    ]


def test_the_last_line_of_a_connection_needs_no_end(listener):
    source = listener()

    source.send(FIRST)

    source.wait_for(FIRST + b"\n")
    assert dict(source.chunks[0].attributes) == {"peer": "127.0.0.1"}


def test_a_datagram_is_a_message_and_a_host_is_a_stream(listener):
    source = listener("udp://127.0.0.1:0")

    source.datagram(FIRST)
    source.wait_for(FIRST + b"\n")
    source.datagram(b"\0\n")
    source.datagram(SECOND + b"\n\0")

    source.wait_for(FIRST + b"\n" + SECOND + b"\n")
    assert {batch.stream for batch in source.chunks} == {"udp/0"}
    assert source.chunks[1].offset == len(FIRST) + 1


def test_the_host_silent_for_longest_gives_its_stream_to_a_new_one(listener, monkeypatch):
    monkeypatch.setattr("aiops_source_syslog.server._UDP_PEERS", 1)
    source = listener("udp://127.0.0.1:0")

    for number, host in enumerate(("127.0.0.2", "127.0.0.3"), start=1):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((host, 0))
            client.sendto(b"<13>a", ("127.0.0.1", source.port()))
        source.wait(lambda number=number: source.data == b"<13>a\n" * number)

    assert [(one.attributes["peer"], one.ended) for one in source.batches] == [
        ("127.0.0.2", False),
        ("127.0.0.2", True),
        ("127.0.0.3", False),
    ]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_every_line_of_a_trace_in_one_message_has_its_header(listener, transport):
    source = listener(f"{transport}://127.0.0.1:0")
    header = b"<11>1 2026-05-04T12:00:00Z web shop 7 - - "

    source.datagram(header + TRACE) if transport == "udp" else source.send(counted(header + TRACE))

    source.wait_for(b"".join(header + line + b"\n" for line in TRACE.split(b"\n")))


def test_case_28_line_ends_are_passed_on_as_they_came(listener):
    source = listener()

    source.send(b"a\r\nb\r\n\r\n\nc\rd\n")

    source.wait_for(b"a\r\nb\r\n\r\n\nc\rd\n")  # the core takes exactly one CR off


def test_case_33_bytes_that_are_no_text_are_passed_on(listener):
    source = listener()

    source.send(b"bad \xff\xfe \xc3( end\ncaf\xe9\n")

    source.wait_for(b"bad \xff\xfe \xc3( end\ncaf\xe9\n")


def test_case_36_of_an_over_long_line_the_beginning_is_kept_and_its_neighbours_are_whole(listener):
    source = listener(max_message=1024)

    source.send(b"first\n" + b"x" * 10_000_000 + b"\nlast\n")

    source.wait(lambda: source.data.endswith(b"last\n"))
    first, head, last = source.chunks
    assert (first.data, last.data) == (b"first\n", b"last\n")
    assert (head.data, head.attributes["truncated"]) == (b"x" * 1024 + b"\n", "true")
    assert source.messages == [
        "syslog: 1 message longer than 1024 bytes or incomplete: only the beginning is read. See max_message."
    ]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_over_long_message_says_how_long_it_was(listener, transport):
    source = listener(f"{transport}://127.0.0.1:0", max_message=1024)
    message = b"<13>" + b"x" * 4996

    source.datagram(message) if transport == "udp" else source.send(counted(message))

    source.wait(lambda: source.chunks)
    assert source.data == message[:1024] + b"\n"
    assert dict(source.chunks[0].attributes) == {
        "peer": "127.0.0.1",
        "truncated": "true",
        "original_bytes": "5000",
    }
