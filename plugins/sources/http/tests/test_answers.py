"""When a request is answered, how retries are known again, and what happens when the disk is behind."""

import gzip

import pytest

NDJSON = "application/x-ndjson"
ONE = b'{"message": "one"}\n'


def head(*lines):
    return "\r\n".join(["POST / HTTP/1.1", "Host: a", "Content-Type: text/plain", *lines, "", ""]).encode()


def test_case_51_a_client_that_goes_away_in_mid_body_leaves_nothing(receiver):
    source = receiver()

    with source.connect() as client:
        client.sendall(head("Content-Length: 100") + b"half\n")
    with source.connect() as client:
        client.sendall(head("Transfer-Encoding: chunked") + b"5\r\nhalf\n\r\n")

    assert source.post("/", b"whole\n").status == 200
    assert source.data == b"whole\n"


def test_case_51_lines_are_kept_although_the_client_did_not_wait_for_the_answer(receiver):
    source = receiver()

    with source.connect() as client:
        client.sendall(head("Content-Length: 6") + b"whole\n")

    source.wait(lambda: source.data == b"whole\n")


def test_case_51_too_much_waiting_is_429_with_retry_after_and_goes_on_later(receiver, in_background):
    source = receiver(max_body=2000, backlog=3000)
    source.hold()

    first = in_background(source.post, "/", b"a" * 1999 + b"\n")
    source.wait(lambda: source.batches)
    second = source.post("/", b"b" * 1500 + b"\n")
    third = source.say(head("Transfer-Encoding: chunked", "Connection: close"), b"5dc\r\n" + b"c" * 1500)
    source.release()

    assert (second.status, second.headers["Retry-After"]) == (429, "1")
    assert second.reason == "too much waits to be written to disk. Come back later"
    assert third.startswith(b"HTTP/1.1 429 ")
    assert first.result().status == 200
    assert source.post("/", b"b" * 1500 + b"\n").status == 200
    assert source.messages == [
        "http: 1 request refused: too much waits to be written to disk. Come back later."
    ]


def test_what_is_not_on_disk_in_time_is_503_and_its_retry_by_key_is_not_read_twice(
    receiver, in_background, monkeypatch
):
    monkeypatch.setattr("aiops_source_http.server.COMMIT", 0.05)
    source = receiver()
    source.hold()

    answer = source.post("/", ONE, kind=NDJSON, Idempotency_Key="k1")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert answer.reason == "the records are not on disk yet. Send them again"

    monkeypatch.setattr("aiops_source_http.server.COMMIT", 10)
    again = in_background(source.post, "/", ONE, kind=NDJSON, Idempotency_Key="k1")
    source.release()
    assert (again.result().status, source.data) == (200, ONE)


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_retry_without_a_key_of_what_a_503_left_under_way_is_not_read_twice(
    receiver, in_background, monkeypatch, is_committed
):
    monkeypatch.setattr("aiops_source_http.server.COMMIT", 0.05)
    source = receiver()
    source.hold()
    assert source.post("/", b"one\n").status == 503
    source.wait(lambda: source.batches)
    monkeypatch.setattr("aiops_source_http.server.COMMIT", 10)
    if is_committed:
        source.release()
        assert source.post("/", b"two\n").status == 200

    again = in_background(source.post, "/", b"one\n")
    if not is_committed:
        source.release()
    assert again.result().status == 200
    assert source.post("/", b"one\n").status == 200

    assert source.data == (b"one\ntwo\none\n" if is_committed else b"one\none\n")


def test_what_nobody_waits_for_any_more_is_not_read_later(receiver, in_background, monkeypatch):
    monkeypatch.setattr("aiops_source_http.server.COMMIT", 0.05)
    source = receiver()
    source.hold()

    under_way = source.post("/", b"under way\n")
    source.wait(lambda: source.batches)
    given_up = [source.post("/", b"given up\n", Idempotency_Key=key) for key in ("", "k1")]
    monkeypatch.setattr("aiops_source_http.server.COMMIT", 10)
    waiting = in_background(source.post, "/", b"waiting\n")
    source.release()

    assert [answer.status for answer in (under_way, *given_up, waiting.result())] == [503, 503, 503, 200]
    assert source.data == b"under way\nwaiting\n"


def test_a_retry_with_the_same_key_and_body_is_answered_alike_and_not_read_twice(receiver):
    source = receiver()
    body = ONE + b"bad\n"

    answers = [source.post("/", body, kind=NDJSON, Idempotency_Key="k1") for _ in range(3)]

    assert [(answer.status, answer.body) for answer in answers] == [(200, answers[0].body)] * 3
    assert source.data == ONE


def test_a_key_is_still_known_after_a_restart(receiver):
    source = receiver()
    source.post("/", ONE, kind=NDJSON, Idempotency_Key="k1")

    source.stop().start()
    answer = source.post("/", gzip.compress(ONE), kind=NDJSON, Content_Encoding="gzip", Idempotency_Key="k1")

    assert (answer.status, source.data) == (200, ONE)
    source.post("/", ONE, kind=NDJSON)
    assert [batch.offset for batch in source.batches] == [0, len(ONE)]


def test_another_key_another_body_or_no_key_is_another_request(receiver):
    source = receiver()
    two = ONE.replace(b"one", b"two")

    source.post("/", ONE, kind=NDJSON, Idempotency_Key="k1")
    source.post("/", ONE, kind=NDJSON, Idempotency_Key="k2")
    source.post("/", two, kind=NDJSON, Idempotency_Key="k1")
    source.post("/", ONE, kind=NDJSON)
    source.post("/", ONE, kind=NDJSON)

    assert source.data == ONE + ONE + two + ONE + ONE


def test_a_bounded_number_of_keys_is_remembered(receiver, monkeypatch):
    monkeypatch.setattr("aiops_source_http.intake.KEYS", 2)
    source = receiver()

    for key in ("k1", "k2", "k3", "k3", "k2", "k1"):
        source.post("/", ONE, kind=NDJSON, Idempotency_Key=key)

    assert source.data == ONE * 4
    assert len(source.batches[-1].end["keys"]) == 2
