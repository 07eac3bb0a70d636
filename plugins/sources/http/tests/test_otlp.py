"""OTLP log requests in both encodings: what becomes of a record, and of what is no record."""

import json

import pytest
from aiops_source_http import otlp_json, otlp_protobuf, wire
from aiops_source_http.records import Refusal
from hypothesis import given, settings
from hypothesis import strategies as st

MOST = 1 << 20
TRACE = "5b8efff798038103d269b633813fc60c"
JSON = "application/json"
PROTOBUF = "application/x-protobuf"
STACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: bad'
RECORD = {
    "timeUnixNano": "1777896000123456789",
    "observedTimeUnixNano": "1777896001000000000",
    "severityNumber": 17,
    "severityText": "ERROR",
    "body": {"stringValue": "cart failed"},
    "attributes": [
        {"key": "exception.type", "value": {"stringValue": "ValueError"}},
        {"key": "exception.stacktrace", "value": {"stringValue": STACK}},
        {"key": "retries", "value": {"intValue": "3"}},
    ],
    "traceId": TRACE.upper(),
    "spanId": "eee19b7ec3c1b174",
}
WRITTEN = {
    "time": "2026-05-04T12:00:00.123456Z",
    "severity": "ERROR",
    "service.name": "shop",
    "otel.scope.name": "cart",
    "exception.type": "ValueError",
    "exception.stacktrace": STACK,
    "retries": 3,
    "message": "cart failed",
    "trace_id": TRACE,
    "span_id": "eee19b7ec3c1b174",
}


def request(*records, resource=None):
    attributes = [{"key": "service.name", "value": {"stringValue": "shop"}}] if resource is None else resource
    scope_logs = {"scope": {"name": "cart"}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": [scope_logs]}]}


def read(value):
    return otlp_json.read_request(json.dumps(value).encode(), MOST)


def written(records):
    return [json.loads(line) for line in bytes(records.lines).splitlines()]


def message(*fields):
    return b"".join(
        wire.field_of_message(number, value)
        if isinstance(value, bytes)
        else wire.field_of_number(number, value)
        for number, value in fields
    )


def protobuf(*records):
    """Write a request by hand, so that no other library decides what is right."""
    scope_logs = message((1, message((1, b"cart"))), *((2, record) for record in records))
    resource = message((1, message((1, b"service.name"), (2, message((1, b"shop"))))))
    return message((1, message((1, resource), (2, scope_logs))))


def test_case_66_a_record_becomes_one_line_with_its_trace():
    assert written(read(request(RECORD))) == [WRITTEN]


def test_a_record_in_protobuf_becomes_the_same_line():
    def text(value):
        return message((1, value.encode()))

    record = (
        wire.varint(1 << 3 | 1)
        + int(RECORD["timeUnixNano"]).to_bytes(8, "little")
        + wire.varint(11 << 3 | 1)
        + int(RECORD["observedTimeUnixNano"]).to_bytes(8, "little")
        + message((2, 17), (3, b"ERROR"), (5, text("cart failed")))
        + message((6, message((1, b"exception.type"), (2, text("ValueError")))))
        + message((6, message((1, b"exception.stacktrace"), (2, text(STACK)))))
        + message((6, message((1, b"retries"), (2, message((3, 3))))))
        + message((9, bytes.fromhex(TRACE)), (10, bytes.fromhex(RECORD["spanId"])))
    )

    assert written(otlp_protobuf.read_request(protobuf(record), MOST)) == [WRITTEN]


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ({}, {}),
        ({"observedTimeUnixNano": 1777896000000000000}, {"time": "2026-05-04T12:00:00.000000Z"}),
        ({"timeUnixNano": "18446744073709551615"}, {"time": "2554-07-21T23:34:33.709551Z"}),
        ({"severityNumber": 13}, {"severity": "WARN"}),
        ({"severityNumber": 99}, {}),
        (
            {"body": {"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}}},
            {"body": {"a": True}},
        ),
        ({"body": {"arrayValue": {"values": [{"doubleValue": 0.5}, {}]}}}, {"body": [0.5, None]}),
        ({"body": {"bytesValue": "aGk="}}, {"message": "aGk="}),
        ({"eventName": "exception"}, {"event.name": "exception"}),
        (
            {"severityText": "info", "attributes": [{"key": "severity", "value": {"stringValue": "x"}}]},
            {"severity": "info"},
        ),
        ({"attributes": [{"key": "service.name", "value": {"stringValue": "own"}}]}, {"service.name": "own"}),
        ({"attributes": [{"key": "empty"}]}, {"empty": None}),
        ({"unknownField": {"any": ["thing"]}}, {}),
    ],
)
def test_what_a_record_has_is_written_and_nothing_else(record, line):
    assert written(read(request(record, resource=[]))) == [{"otel.scope.name": "cart", **line}]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("text", "the record is no JSON object"),
        ({"traceId": "xyz"}, "traceId is no hexadecimal id"),
        ({"timeUnixNano": "noon"}, "timeUnixNano is no number"),
        ({"timeUnixNano": True}, "timeUnixNano is no number"),
        ({"severityText": 5}, "severityText is no text"),
        ({"attributes": {}}, ""),
        ({"attributes": {"a": 1}}, "attributes is no list"),
        ({"attributes": [{"value": {}}]}, "an attribute has no key"),
        ({"body": "plain"}, 'a value is no JSON object such as {"stringValue": …}'),
        ({"body": {"stringValue": 5}}, "stringValue does not fit its name"),
        ({"body": {"intValue": True}}, "intValue does not fit its name"),
        ({"body": {"intValue": "five"}}, "intValue is no number"),
        ({"body": {"arrayValue": []}}, ""),
        ({"body": {"arrayValue": {"values": 5}}}, "arrayValue has no list of values"),
        ({"body": {"doubleValue": 10**400}}, "doubleValue is no number"),
    ],
)
def test_a_record_that_cannot_be_read_is_rejected_alone(record, reason):
    records = read(request(record, {"body": {"stringValue": "fine"}}))

    assert [fault.reason for fault in records.faults] == ([reason] if reason else [])
    assert written(records)[-1]["message"] == "fine"
    assert (records.accepted, records.rejected) == ((1, 1) if reason else (2, 0))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"\xff", "no JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "the request is no JSON object"),
        (b'{"resourceLogs": {}}', "resourceLogs is no list"),
        (b'{"resourceLogs": [1]}', "resourceLogs is no JSON object"),
        (b'{"resourceLogs": [{"resource": {"attributes": 5}}]}', "resource: attributes is no list"),
    ],
)
def test_what_is_no_request_is_refused_whole(body, reason):
    with pytest.raises(Refusal) as told:
        otlp_json.read_request(body, MOST)

    assert (told.value.status, str(told.value)) == (400, reason)


def test_a_value_nested_too_deep_is_rejected_in_both_encodings():
    deep, packed = {"stringValue": "x"}, message((1, b"x"))
    for _ in range(100):
        deep = {"arrayValue": {"values": [deep]}}
        packed = message((5, message((1, packed))))

    by_json = read(request({"body": deep}))
    by_protobuf = otlp_protobuf.read_request(protobuf(message((5, packed))), MOST)

    assert [fault.reason for fault in by_json.faults + by_protobuf.faults] == [
        "a value is nested too deep"
    ] * 2


def test_a_huge_resource_keeps_its_service_only():
    attributes = [
        {"key": name, "value": {"stringValue": name * 3000}} for name in ("service.name", "other.name")
    ]

    [line] = written(read(request({}, resource=attributes)))

    assert line == {"service.name": ("service.name" * 3000)[:200]}


def test_records_that_grow_too_long_are_refused_whole():
    attributes = [{"key": "service.name", "value": {"stringValue": "s" * 10_000}}]

    with pytest.raises(Refusal, match="written out, the records are too long") as told:
        read(request(*[{}] * 1000, resource=attributes))

    assert told.value.status == 413


def test_a_broken_record_in_protobuf_is_rejected_alone():
    records = otlp_protobuf.read_request(protobuf(b"\x08", message((2, 9)), message((2, b"text"))), MOST)

    assert [(fault.line, fault.reason) for fault in records.faults] == [
        (1, "the message breaks off inside a number"),
        (3, "a text stands where a number belongs"),
    ]
    assert [line["severity"] for line in written(records)] == ["INFO"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x0a\xff", "the message breaks off inside a number"),
        (b"\x0a\x05abc", "field 1 ends after the message"),
        (b"\x00\x00", "a field has number 0"),
        (b"\x0b", "field 1 is of unknown kind 3"),
        (b"\x08\x01", "a number stands where a text or message belongs"),
        (b"\xff" * 11, "a number is longer than 64 bits"),
        (b"{}", "field 15 is of unknown kind 3"),
    ],
)
def test_what_is_no_protobuf_is_refused_whole(body, reason):
    with pytest.raises(Refusal) as told:
        otlp_protobuf.read_request(body, MOST)

    assert (told.value.status, str(told.value)) == (400, f"no protobuf log request: {reason}")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.data())
def test_no_bytes_break_the_protobuf_reader(noise, data):
    good = protobuf(message((2, 9), (3, b"ERROR"), (5, message((1, b"text")))))
    at = data.draw(st.integers(0, len(good)))

    for body in (noise, good[:at], good[:at] + noise[:5] + good[at:], protobuf(noise)):
        try:
            otlp_protobuf.read_request(body, MOST)
        except Refusal as refusal:
            assert str(refusal).startswith("no protobuf log request: ")


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceLogs",
                    "resource",
                    "scopeLogs",
                    "scope",
                    "name",
                    "logRecords",
                    "attributes",
                    "key",
                    "value",
                    "body",
                    "stringValue",
                    "intValue",
                    "arrayValue",
                    "kvlistValue",
                    "values",
                    "traceId",
                    "timeUnixNano",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(JSONS)
def test_no_json_breaks_the_reader(value):
    for body in (value, request(value), request({"body": value}), request({"attributes": value})):
        try:
            records = otlp_json.read_request(json.dumps(body).encode(), MOST)
        except Refusal as refusal:
            assert str(refusal)
        else:
            assert len(written(records)) == records.accepted


TEXTS = st.text(max_size=8)
ANY = st.recursive(
    st.one_of(
        st.builds(lambda value: {"stringValue": value}, TEXTS),
        st.builds(lambda value: {"boolValue": value}, st.booleans()),
        st.builds(lambda value: {"intValue": str(value)}, st.integers(-(1 << 63), (1 << 63) - 1)),
        st.builds(lambda value: {"doubleValue": value}, st.floats(allow_nan=False, allow_infinity=False)),
        st.just({"bytesValue": "aGk="}),
        st.just({}),
    ),
    lambda inner: st.one_of(
        st.builds(lambda values: {"arrayValue": {"values": values}}, st.lists(inner, max_size=3)),
        st.builds(
            lambda pairs: {"kvlistValue": {"values": [{"key": k, "value": v} for k, v in pairs.items()]}},
            st.dictionaries(TEXTS, inner, max_size=3),
        ),
    ),
    max_leaves=5,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "timeUnixNano": st.integers(0, (1 << 64) - 1).map(str),
        "severityNumber": st.integers(0, 24),
        "severityText": TEXTS,
        "body": ANY,
        "attributes": st.dictionaries(TEXTS, ANY, max_size=3).map(
            lambda pairs: [{"key": key, "value": value} for key, value in pairs.items()]
        ),
        "traceId": st.sampled_from(["", TRACE]),
        "eventName": TEXTS,
    },
)


@settings(max_examples=100, deadline=None)
@given(st.lists(RECORDS, max_size=3))
def test_both_encodings_of_a_request_give_the_same_lines(records):
    pytest.importorskip("opentelemetry.proto", reason="opentelemetry-proto is not installed")
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    whole = request(*records)
    as_protobuf = request(
        *({**one, "traceId": "W47/95gDgQPSabYzgT/GDA=="} if one.get("traceId") else one for one in records)
    )
    packed = json_format.ParseDict(as_protobuf, ExportLogsServiceRequest()).SerializeToString()

    expected = written(read(whole))

    assert written(otlp_protobuf.read_request(packed, MOST)) == expected


@pytest.mark.parametrize(
    ("kind", "body", "answer"),
    [
        (JSON, json.dumps(request(RECORD)).encode(), b"{}"),
        (PROTOBUF, protobuf(message((2, 17))), b""),
        (JSON, b'{"resourceLogs": []}', b"{}"),
        (PROTOBUF, b"", b""),
    ],
)
def test_a_request_over_http_is_answered_as_otlp_says(receiver, kind, body, answer):
    source = receiver()

    response = source.post("/v1/logs", body, kind=kind)

    assert (response.status, response.headers["Content-Type"], response.body) == (200, kind, answer)
    assert len(source.lines) == (1 if len(body) > 20 else 0)


def test_case_51_rejected_records_are_a_partial_success(receiver):
    source = receiver()
    fine = {"body": {"stringValue": "fine"}}

    by_json = source.post("/v1/logs", json.dumps(request({"traceId": "x"}, fine)).encode(), kind=JSON)
    by_protobuf = source.post("/v1/logs", protobuf(b"\x08", message((2, 9))), kind=PROTOBUF)

    assert by_json.json == {
        "partialSuccess": {
            "rejectedLogRecords": "1",
            "errorMessage": "record 1: traceId is no hexadecimal id",
        }
    }
    assert (by_json.status, by_protobuf.status) == (200, 200)
    [(_, partial)] = wire.fields(by_protobuf.body)
    assert list(wire.fields(partial)) == [(1, 1), (2, b"record 1: the message breaks off inside a number")]
    assert len(source.records) == 2


def test_a_refusal_is_a_status_in_the_encoding_of_the_request(receiver):
    source = receiver()

    by_json = source.post("/v1/logs", b"[]", kind=JSON)
    by_protobuf = source.post("/v1/logs", b"\x0b", kind=PROTOBUF)
    all_bad = source.post("/v1/logs", protobuf(b"\x08"), kind=PROTOBUF)

    assert (by_json.status, by_json.json) == (
        400,
        {"code": 3, "error": "Bad Request", "message": "the request is no JSON object"},
    )
    assert (by_protobuf.status, all_bad.status) == (400, 400)
    assert list(wire.fields(by_protobuf.body)) == [
        (1, 3),
        (2, b"no protobuf log request: field 1 is of unknown kind 3"),
    ]
    assert list(wire.fields(all_bad.body)) == [
        (1, 3),
        (2, b"record 1: the message breaks off inside a number"),
    ]
