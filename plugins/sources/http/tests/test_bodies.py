"""Bodies of real requests: which lines become of them, and what is told of the others."""

import gzip
import time
import zlib

import pytest

NDJSON = "application/x-ndjson"
ONE = b'{"message": "one"}\n'
LIMIT = 100_000


def test_case_51_ndjson_arrives_line_by_line_and_is_counted(receiver):
    source = receiver()

    answer = source.post(
        "/ndjson", b'{"message": "one"}\n\n {"message": "two"}\r\n{"message":"three"}', kind=NDJSON
    )

    assert (answer.status, answer.json) == (200, {"accepted": 3, "rejected": 0})
    assert source.data == b'{"message": "one"}\n{"message": "two"}\n{"message":"three"}\n'
    [batch] = source.batches
    assert (batch.stream, batch.ended, dict(batch.attributes)) == ("http", True, {"peer": "127.0.0.1"})
    assert batch.position_at(len(batch.data) - 1) == {"received": 0, "keys": []}
    assert batch.end == {"received": len(batch.data), "keys": []}


def test_case_51_an_answer_comes_after_the_commit_and_not_before(receiver, in_background):
    source = receiver()
    source.hold()

    answer = in_background(source.post, "/", ONE, kind=NDJSON)
    source.wait(lambda: source.batches)
    time.sleep(0.05)

    assert not answer.is_done
    source.release()
    assert answer.result().status == 200


def test_case_51_bad_json_in_the_middle_is_told_by_line_and_the_rest_is_taken(receiver):
    source = receiver()
    body = b'{"a": 1}\n{"b": \n[1]\n"text"\n\xff\n' + b"[" * 100_000 + b'\n{"c": 3}\n'

    answer = source.post("/", body, kind=NDJSON)

    assert answer.status == 200
    assert answer.json == {
        "accepted": 2,
        "rejected": 5,
        "errors": [
            {"line": 2, "reason": "no JSON: Expecting value at column 6"},
            {"line": 3, "reason": "not a JSON object"},
            {"line": 4, "reason": "not a JSON object"},
            {"line": 5, "reason": "no UTF-8 at byte 1"},
            {"line": 6, "reason": "no JSON: a number too long, or nested too deep"},
        ],
    }
    assert source.data == b'{"a": 1}\n{"c": 3}\n'


def test_where_nothing_can_be_used_the_answer_is_400(receiver):
    source = receiver()

    answer = source.post("/", b"plain\n" * 50, kind=NDJSON)

    assert (answer.status, answer.json["accepted"], answer.json["rejected"]) == (400, 0, 50)
    assert len(answer.json["errors"]) == 20
    assert source.batches == []


@pytest.mark.parametrize("body", [b"", b"\n\n", b"[]"])
def test_nothing_is_accepted_of_nothing(receiver, body):
    answer = receiver().post("/", body, kind="application/json")

    assert (answer.status, answer.json) == (200, {"accepted": 0, "rejected": 0})


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'{\n "message": "one",\n "n": 1\n}', [{"message": "one", "n": 1}]),
        (b'[{"message": "one"}, {"message": "t\xc3\xbc"}]', [{"message": "one"}, {"message": "tü"}]),
        (b'{"message": "one"}\n{"message": "two"}\n', [{"message": "one"}, {"message": "two"}]),
        (b'{"message": "\\ud800"}', [{"message": "?"}]),
    ],
)
def test_json_may_be_an_object_an_array_or_lines(receiver, body, lines):
    source = receiver()

    assert source.post("/", body, kind="application/json").status == 200

    assert source.records == lines


def test_items_of_an_array_that_are_no_objects_are_told(receiver):
    source = receiver()

    answer = source.post("/", b'[1, {"a": 1}]', kind="application/json; charset=utf-8")

    assert answer.json == {
        "accepted": 1,
        "rejected": 1,
        "errors": [{"line": 1, "reason": "not a JSON object"}],
    }


def test_plain_lines_arrive_as_they_are(receiver):
    source = receiver()

    answer = source.post("/", b"Traceback:\r\n\n  File\nE: x", kind="text/plain")

    assert answer.json == {"accepted": 4, "rejected": 0}
    assert source.data == b"Traceback:\r\n\n  File\nE: x\n"


def test_text_without_a_type_is_plain_and_at_ndjson_it_is_ndjson(receiver):
    source = receiver()

    assert source.post("/", b"plain\n").status == 200
    assert source.post("/ndjson", b"plain\n").status == 400

    assert source.data == b"plain\n"


def test_case_30_utf_16_is_decoded_as_its_type_says(receiver):
    source = receiver()

    source.post("/", "grün\nrot\n".encode("utf-16"), kind="text/plain; charset=UTF-16")

    assert source.data == "grün\nrot\n".encode()


def test_case_33_bytes_that_are_no_text_are_passed_on(receiver):
    source = receiver()

    source.post("/", b"bad \xff\xfe \xc3( end\ncaf\xe9\n", kind="text/plain")

    assert source.data == b"bad \xff\xfe \xc3( end\ncaf\xe9\n"


def test_case_36_of_an_over_long_line_the_beginning_is_kept_and_its_neighbours_are_whole(receiver):
    source = receiver()

    answer = source.post("/", b"first\n" + b"x" * 2_000_000 + b"\nlast\n", kind="text/plain")

    assert source.data == b"first\n" + b"x" * (1 << 20) + b"\nlast\n"
    assert answer.json["accepted"] == 3
    assert answer.json["errors"] == [
        {"line": 2, "reason": "longer than 1048576 bytes: only the beginning is read"}
    ]


def test_case_51_a_gzip_body_is_unpacked_with_all_its_members(receiver):
    source = receiver()

    answer = source.post("/", gzip.compress(ONE) + gzip.compress(ONE), kind=NDJSON, Content_Encoding="gzip")

    assert (answer.status, source.data) == (200, ONE + ONE)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"no gzip", 400, "the body is no gzip"),
        (gzip.compress(ONE)[:-4], 400, "the gzip body breaks off"),
        (b"", 400, "the gzip body breaks off"),
        (gzip.compress(b"0" * 10_000_000), 413, f"unpacked, the body is longer than {LIMIT} bytes"),
        (
            gzip.compress(b"") * 4000 + gzip.compress(b"0" * LIMIT * 2),
            413,
            f"unpacked, the body is longer than {LIMIT} bytes",
        ),
    ],
    ids=["no-gzip", "broken-off", "empty", "too-long", "too-long-in-many-members"],
)
def test_a_gzip_body_that_cannot_be_unpacked_is_refused(receiver, body, status, reason):
    source = receiver(max_body=LIMIT)

    answer = source.post("/", body, kind=NDJSON, Content_Encoding="gzip")

    assert (answer.status, answer.reason) == (status, reason)
    assert source.batches == []


def test_a_gzip_bomb_is_never_unpacked_whole(receiver):
    source = receiver(max_body="1MB")
    packer = zlib.compressobj(wbits=31)
    zeros = bytes(10_000_000)
    bomb = b"".join(packer.compress(zeros) for _ in range(10)) + packer.flush()
    began = time.process_time()

    answer = source.post("/", bomb, kind=NDJSON, Content_Encoding="gzip")

    assert (answer.status, len(bomb) < 200_000) == (413, True)
    assert time.process_time() - began < 5


def test_case_51_a_chunked_body_is_taken(receiver):
    source = receiver()

    answer = source.post("/", iter([b'{"message":', b' "one"}\n', ONE]), kind=NDJSON)

    assert (answer.status, source.data) == (200, ONE + ONE)


@pytest.mark.parametrize("is_chunked", [True, False])
def test_case_51_a_body_of_100_mb_is_refused_before_it_is_taken(receiver, is_chunked):
    source = receiver(max_body=LIMIT)
    begin = b"Transfer-Encoding: chunked\r\n\r\n" if is_chunked else b"Content-Length: 100000000\r\n\r\n"
    piece = b"%x\r\n%s\r\n" % (65536, b"x" * 65536) if is_chunked else b"x" * 65536

    with source.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + begin)
        sent = 0
        try:
            while sent < 100_000_000:
                sent += client.send(piece)
                if sent > 300_000:
                    break
        except ConnectionError:
            pass
        answer = client.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer
    assert f"the body is longer than {LIMIT} bytes".encode() in answer
    assert source.batches == []
