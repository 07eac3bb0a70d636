"""Requests that are not taken, and what they are told."""

import pytest

NDJSON = "application/x-ndjson"
ONE = b'{"message": "one"}\n'


def head(*lines):
    return "\r\n".join(["POST / HTTP/1.1", "Host: a", "Content-Type: text/plain", *lines, "", ""]).encode()


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic s3cret-token"},
        {"Authorization": "s3cret-token"},
    ],
)
def test_without_the_token_nothing_is_taken(receiver, header):
    source = receiver(token="s3cret-token")

    answer = source.post("/", ONE, kind=NDJSON, **header)

    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.reason == "the bearer token is missing or wrong"
    assert source.messages == [
        "http: 1 request refused: the bearer token is missing or wrong. The last came from 127.0.0.1."
    ]
    assert source.batches == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_with_the_token_lines_are_taken_and_the_token_is_told_nowhere(receiver, scheme):
    source = receiver(token="s3cret-token")

    assert source.post("/", ONE, kind=NDJSON, Authorization=f"{scheme} s3cret-token").status == 200

    assert "s3cret-token" not in f"{source.messages}{source.batches}{source.component.config!r}"


def test_a_web_page_may_not_write(receiver):
    answer = receiver().post("/", b"injected\n", kind="text/plain", Origin="https://evil.example")

    assert (answer.status, answer.reason) == (403, "web pages may not write here")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "reason"),
    [
        ("POST", "/nothing", {}, 404, "nothing is here. Post to /v1/logs, / or /ndjson"),
        ("POST", "/v1/traces", {}, 404, "nothing is here. Post to /v1/logs, / or /ndjson"),
        ("GET", "/", {}, 405, "post log records here"),
        ("PUT", "/v1/logs?x=1", {}, 405, "post log records here"),
        (
            "POST",
            "/",
            {"Content-Type": "image/png"},
            415,
            "send application/x-ndjson, application/json or text/plain",
        ),
        (
            "POST",
            "/v1/logs",
            {"Content-Type": "text/plain"},
            415,
            "send application/json or application/x-protobuf",
        ),
        ("POST", "/v1/logs", {}, 415, "send application/json or application/x-protobuf"),
        ("POST", "/", {"Content-Encoding": "br"}, 415, "only gzip bodies are unpacked"),
        ("POST", "/", {"Content-Encoding": "gzip, gzip"}, 415, "only gzip bodies are unpacked"),
        (
            "POST",
            "/",
            {"Content-Type": "text/plain; charset=rot13"},
            415,
            "this charset is not read. Use UTF-8",
        ),
        (
            "POST",
            "/",
            {"Content-Type": "text/plain; charset=zlib"},
            415,
            "this charset is not read. Use UTF-8",
        ),
    ],
)
def test_what_is_not_understood_is_told(receiver, method, path, headers, status, reason):
    source = receiver()

    answer = source.post(
        path, b"x\n", method=method, **{name.replace("-", "_"): value for name, value in headers.items()}
    )

    assert (answer.status, answer.reason) == (status, reason)
    assert answer.headers.get("Allow") == ("POST" if status == 405 else None)
    assert source.batches == []


def test_a_body_without_a_length_is_411(receiver):
    answer = receiver().say(head("Connection: close"))

    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"say how long the body is, or send it chunked" in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_told_and_harms_nobody(receiver, request_):
    source = receiver()

    answer = source.say(request_)

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 ", b"HTTP/1.1 501 "))
    assert source.post("/", b"fine\n").status == 200
