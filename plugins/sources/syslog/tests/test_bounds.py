"""What bounds hold: connections, time, memory, and what is lost."""

import socket
import time


def test_more_connections_than_allowed_are_refused_and_told(listener):
    source = listener(connections=2)

    with source.connect() as one, source.connect() as two:
        two.sendall(b"<13>two\n")
        source.wait_for(b"<13>two\n")
        with source.connect() as third:
            assert third.recv(1) == b""
        one.sendall(b"<13>one\n")
        source.wait_for(b"<13>two\n<13>one\n")

    assert source.messages == [
        f"syslog: tcp://127.0.0.1:{source.port()}: 1 connection refused: 2 are open. "
        "Allow more by the connections setting."
    ]


def test_a_silent_connection_makes_room_for_a_new_one(listener, monkeypatch):
    monkeypatch.setattr("aiops_source_syslog.server.IDLE", 0.0)
    source = listener(connections=1)

    with source.connect() as silent:
        silent.sendall(b"<13>old\n")
        source.wait(lambda: source.data)
        source.connect().close()
        assert silent.recv(1) == b""
    source.wait(lambda: source.messages)

    def is_taken():
        source.send(b"<13>new\n")
        time.sleep(0.01)
        return b"new" in source.data

    source.wait(is_taken)
    assert source.messages[0] == "syslog: 1 silent connection closed to make room for new ones."


def test_a_message_that_arrives_too_slowly_ends_its_connection(listener, monkeypatch):
    monkeypatch.setattr("aiops_source_syslog.server.STUCK", 0.05)
    monkeypatch.setattr("aiops_source_syslog.server.TICK", 0.02)
    source = listener()

    with source.connect() as idle, source.connect() as slow:
        idle.sendall(b"<13>idle\n")
        slow.sendall(b"<13>slow")
        assert slow.recv(1) == b""
        idle.sendall(b"<13>still here\n")
        source.wait(lambda: b"still here" in source.data)

    assert b"<13>slow\n" in source.data
    assert source.messages == ["syslog: 1 connection closed: a message took longer than 0.05 s to arrive."]


def test_a_sender_over_tcp_is_held_back_while_the_pipeline_is_behind(listener, monkeypatch):
    monkeypatch.setattr("aiops_source_syslog.inbox.LIMIT", 100_000)
    source = listener()
    line = b"<13>" + b"x" * 995 + b"\n"
    source.hold()

    with source.connect() as client:
        client.setblocking(False)
        sent = 0
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            try:
                sent += client.send((line * 100)[sent % 1000 :])
            except BlockingIOError:
                time.sleep(0.01)
        held = source.component._inbox._size
        assert held < 1_000_000
        assert sent < 50_000_000
        source.release()
        client.settimeout(60)
        client.sendall(line[sent % 1000 :] if sent % 1000 else b"")

    total = (sent + 999) // 1000 * 1000
    source.wait(lambda: len(source.data) == total, "everything that was sent")
    assert source.data == line * (total // 1000)


def test_datagrams_lost_while_the_pipeline_is_behind_are_counted(listener, monkeypatch):
    monkeypatch.setattr("aiops_source_syslog.inbox.LIMIT", 10_000)
    monkeypatch.setattr("aiops_source_syslog.addresses._BUFFER", 10_000)
    monkeypatch.setattr("aiops_source_syslog.server.TICK", 0.02)
    monkeypatch.setattr("aiops_source_syslog.reports.EVERY", 0.0)
    source = listener("udp://127.0.0.1:0")
    source.hold()

    for _ in range(500):
        source.datagram(b"<13>" + b"x" * 996)
    source.release()

    def told():
        return sum(int(message.split(": ")[2].split()[0]) for message in source.messages)

    source.wait(lambda: len(source.lines) + told() == 500, "every datagram received or counted")
    assert told() > 0
    assert source.messages[0].endswith(
        "datagrams lost: they came faster than they are read. Use tcp:// where no message may be lost."
    )


def test_datagrams_lost_since_the_last_telling_are_told_at_the_stop(listener, monkeypatch):
    monkeypatch.setattr("aiops_source_syslog.inbox.LIMIT", 10_000)
    monkeypatch.setattr("aiops_source_syslog.addresses._BUFFER", 10_000)
    monkeypatch.setattr("aiops_source_syslog.server.TICK", 0.02)
    source = listener("udp://127.0.0.1:0")
    source.hold()
    for _ in range(200):
        source.datagram(b"<13>" + b"x" * 996)
    source.wait(lambda: source.messages, "the first telling")
    for _ in range(300):
        source.datagram(b"<13>" + b"x" * 996)

    source.stop()

    told = [int(message.split(": ")[2].split()[0]) for message in source.messages]
    assert len(told) == 2
    assert sum(told) >= 300
    assert len(source.lines) + sum(told) <= 500


def test_a_client_that_resets_its_connection_harms_nobody(listener):
    source = listener()

    with source.connect() as client:
        client.sendall(b"<13>whole\n<13>half")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    source.send(b"<13>other\n")

    source.wait(lambda: b"<13>other\n" in source.data)
