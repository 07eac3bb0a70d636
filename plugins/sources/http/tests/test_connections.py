"""Connections: several requests, time limits, numbers, TLS."""

import http.client
import ssl
import time

import pytest

NDJSON = "application/x-ndjson"
ONE = b'{"message": "one"}\n'
LIMIT = 100_000


def head(*lines):
    return "\r\n".join(["POST / HTTP/1.1", "Host: a", "Content-Type: text/plain", *lines, "", ""]).encode()


def test_one_connection_carries_many_requests(receiver):
    source = receiver()
    request = head("Content-Length: 4") + b"one\n"

    answers = source.say(request + request, head("Content-Length: 4", "Connection: close") + b"two\n")

    assert answers.count(b"HTTP/1.1 200 ") == 3
    assert source.data == b"one\none\ntwo\n"


def test_a_sender_that_asks_first_is_told_to_go_on_or_why_not(receiver):
    source = receiver(max_body=LIMIT)

    with source.connect() as client:
        client.sendall(head("Content-Length: 4", "Expect: 100-continue"))
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"one\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
    refused = source.say(head("Content-Length: 200000", "Expect: 100-continue"))

    assert refused.startswith(b"HTTP/1.1 413 ")


def test_an_offer_to_switch_the_protocol_is_not_taken_up(receiver):
    source = receiver()
    upgrade = head(
        "Content-Length: 4", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"
    )

    answers = source.say(upgrade + b"one\n", head("Content-Length: 4", "Connection: close") + b"two\n")

    assert answers.count(b"HTTP/1.1 200 ") == 2
    assert source.data == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("sent", "limit"),
    [(b"POST / HT", "aiops_source_http.conversation.HEAD"), (head("Content-Length: 9") + b"x", "timeout")],
)
def test_a_sender_that_dawdles_is_told_and_let_go(receiver, monkeypatch, sent, limit):
    if limit != "timeout":
        monkeypatch.setattr(limit, 0.05)
    source = receiver(timeout="50ms")

    answer = source.say(sent)

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_sender_that_trickles_gets_no_more_time(receiver):
    source = receiver(timeout="100ms")
    began = time.monotonic()

    with source.connect() as client:
        client.sendall(head("Content-Length: 1000"))
        client.settimeout(0.02)
        answer = b""
        while not answer and time.monotonic() - began < 5:
            client.sendall(b"x")
            try:
                answer = client.recv(1000)
            except TimeoutError:
                pass

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_silent_connection_is_closed_after_a_while(receiver, monkeypatch):
    monkeypatch.setattr("aiops_source_http.conversation.IDLE", 0.05)
    source = receiver()

    assert source.say() == b""
    assert source.say(head("Content-Length: 4") + b"one\n").startswith(b"HTTP/1.1 200 ")


def test_more_connections_than_allowed_are_refused_and_idle_ones_make_room(receiver):
    source = receiver(connections=1)
    source.wait(lambda: source.component._server)

    with source.connect() as busy:
        busy.sendall(head("Content-Length: 4") + b"on")
        source.wait(
            lambda: any(one and not one.is_idle for one in source.component._server._conversations.values())
        )
        assert source.say().startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n")
        busy.sendall(b"e\n")
        assert busy.recv(1000).startswith(b"HTTP/1.1 200 ")
        source.wait(
            lambda: any(one and one.is_idle for one in source.component._server._conversations.values())
        )
        assert source.post("/", b"two\n").status == 200
        assert busy.recv(1) == b""

    assert source.messages == [
        "http: 1 connection refused: 1 are open. Allow more by the connections setting."
    ]


def test_requests_that_come_at_the_same_time_are_all_answered(receiver, in_background):
    source = receiver()

    answers = [in_background(source.post, "/", b"%d\n" % number) for number in range(40)]

    assert {answer.result().status for answer in answers} == {200}
    assert sorted(map(int, source.lines)) == list(range(40))


def test_https_carries_what_http_does(receiver, trusting):
    source = receiver(certificate="cert.pem", key="key.pem")
    source.tls = trusting()

    assert source.post("/", ONE, kind=NDJSON).status == 200
    assert source.post("/", b"x" * 20_000_000).status == 413

    assert source.data == ONE


def test_a_client_without_a_certificate_of_the_client_ca_is_refused(receiver, trusting):
    source = receiver(certificate="cert.pem", key="key.pem", client_ca="ca.pem")

    source.tls = trusting("127.0.0.1")
    assert source.post("/", ONE, kind=NDJSON).status == 200
    source.tls = trusting()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        source.post("/", ONE, kind=NDJSON)

    assert source.data == ONE
    source.wait(lambda: source.messages)
    assert source.messages == [
        "http: 1 connection failed before a request: PEER_DID_NOT_RETURN_A_CERTIFICATE."
    ]


def test_clear_text_at_an_https_address_harms_nobody(receiver, trusting):
    source = receiver(certificate="cert.pem", key="key.pem")

    with pytest.raises((OSError, http.client.HTTPException)):
        source.post("/", ONE, kind=NDJSON)
    source.tls = trusting()

    assert source.post("/", ONE, kind=NDJSON).status == 200
