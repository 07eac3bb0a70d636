from datetime import UTC, datetime
from time import process_time

import pytest

from aiops_core.text.envelope import Envelope, can_precede, may_be_severe, parse_envelope
from aiops_core.text.levels import SEVERITY_OF

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TEN = "2026-01-01T10:00:00+00:00"
CASES = [
    # line up to "boom", severity, time
    ("2026-01-01T10:00:00Z |", None, TEN),
    ("2026-01-01 10:00:00 |", None, TEN),
    ("2026-01-01T11:00:00+01:00 |", None, TEN),
    ("2026-01-01 05:00:00 -0500 |", None, TEN),
    ("2026-01-01 10:00:00.500 UTC |", None, "2026-01-01T10:00:00.500000+00:00"),
    ("2026-01-01 10:00:00,123456789 ERROR |", "error", "2026-01-01T10:00:00.123456+00:00"),
    ("2026-01-01T10:00:00Z svc-api ERROR |", "error", TEN),
    ("2026-01-01 10:00:00,000 ERROR [main] c.a.Foo - |", "error", TEN),
    ("2026-01-01 10:00:00,000 - app - WARNING - |", "warning", TEN),
    ("ERROR:root:|", "error", None),
    ("CRITICAL:app.db:|", "critical", None),
    ("2026/01/01 10:00:00 |", None, TEN),
    ("2026/01/01 10:00:00 main.go:12: |", None, TEN),
    ("2026/01/01 10:00:00 ERROR |", "error", TEN),
    ("2026/01/01 10:00:00 [error] 123#123: *1 |", "error", TEN),
    ("E0101 10:00:00.000000       1 file.go:12] |", "error", TEN),
    ("W0101 10:00:00.000000       1 file.go:12] |", "warning", TEN),
    ("E, [2026-01-01T10:00:00 #123] ERROR -- : |", "error", TEN),
    ("I, [2026-01-01T10:00:00 #123]  INFO -- prog: |", "info", TEN),
    ("2026-01-01T10:00:00Z ERROR 1 --- [main] c.a.Foo : |", "error", TEN),
    ("2026-01-01T10:00:00Z ERROR 1 --- [shop] [nio-8080-exec-1] c.a.Foo         : |", "error", TEN),
    ("Nov 21 03:55:01 host app[123]: |", None, "2026-11-21T03:55:01+00:00"),
    ("Dec 31 03:55:01 host app: |", None, "2025-12-31T03:55:01+00:00"),
    ("Nov 21 03:55:01 host app[123]: ERROR |", "error", "2026-11-21T03:55:01+00:00"),
    ("<11>Nov 21 03:55:01 host app: |", "error", "2026-11-21T03:55:01+00:00"),
    ("<165>1 2026-01-01T10:00:00Z host app 12 ID47 - |", "info", TEN),
    ('<163>1 2026-01-01T10:00:00Z host app 12 - [ex@1 a="b"] |', "error", TEN),
    ('<165>1 2026-01-01T10:00:00Z host app 12 ID47 [a@1 b="c\\]d" e="\\"]"] |', "info", TEN),
    ("<3>|", "error", None),
    ("12:05PM ERR |", "error", None),
    ("3:05AM WRN |", "warning", None),
    ("[Thu Jan 01 10:00:00 2026] [error] |", "error", TEN),
    (
        "[Thu Jan 01 10:00:00.5 2026] [core:crit] [pid 1:tid 2] [client 1.2.3.4:5] |",
        "critical",
        "2026-01-01T10:00:00.500000+00:00",
    ),
    ("[ERROR] |", "error", None),
    ("[p1] |", None, None),
    ("ERROR |", "error", None),
    ("FATAL: |", "critical", None),
    ("app_1  | 2026-01-01 10:00:00 ERROR |", "error", TEN),
    ("web-1  | |", None, None),
    ("shop-6d4b75cb6d-hwx8k web 2026-01-01 10:00:00 ERROR |", "error", TEN),
    ("kafka-0 broker [2026-01-01 10:00:00,000] ERROR |", "error", TEN),
    ("[pod/shop-6d4b75cb6d-hwx8k/web] 2026-01-01 10:00:00 ERROR |", "error", TEN),
    ("web-1  | E0101 10:00:00.000000       1 file.go:12] |", "error", TEN),
    (
        "Nov 21 03:55:01 host app[12]: E0101 10:00:00.000000       1 file.go:12] |",
        "error",
        "2026-11-21T03:55:01+00:00",
    ),
    ("2026-01-01T10:00:00+0000 error codes.vapor.application : |", "error", TEN),
    ("0|shop      | 2026-01-01 10:00:00 ERROR |", "error", TEN),
    ("1767261600 ERROR |", "error", TEN),
    ("1767261600000 |", None, TEN),
    ("17/06/09 20:10:40 INFO executor.Backend: |", "info", "2017-06-09T20:10:40+00:00"),
    ("081109 203615 148 INFO dfs.DataNode$PacketResponder: |", "info", "2008-11-09T20:36:15+00:00"),
    (
        "2015-07-29 17:41:44,747 - WARN  [Worker:1:Cnx$SendWorker@688] - |",
        "warning",
        "2015-07-29T17:41:44.747000+00:00",
    ),
    (
        "nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00 25746 INFO nova.osapi.server [req-3 1 - -] |",
        "info",
        "2017-05-16T00:00:00+00:00",
    ),
    ("2016-09-28 04:30:30, Error                 |", "error", "2016-09-28T04:30:30+00:00"),
    ("03-17 16:13:38.811  1702  2395 E Window: |", "error", "2026-03-17T16:13:38.811000+00:00"),
    ("2026-01-01 10:00:00.000 | ERROR    | shop:pay:12 - |", "error", TEN),
    ("2026-01-01 10:00:00 [warning  ] |", "warning", TEN),
    ("[2026-01-01 10:00:00 +0000] [123] [ERROR] |", "error", TEN),
    ("[2026-01-01 10:00:00,000: ERROR/ForkPoolWorker-1] |", "error", TEN),
    ("[2026-01-01T10:00:00Z ERROR my_crate] |", "error", TEN),
    ("2026-01-01T10:00:00Z ERROR my_crate::pay: |", "error", TEN),
    ("[10:00:00 FTL] |", "critical", None),
    ("10:00:00.123 [main] ERROR c.a.Foo - |", "error", None),
    ("[2026-01-01 10:00:00] production.ERROR: |", "error", TEN),
    ("2026-01-01 10:00:00.000|ERROR|Shop||", "error", TEN),
    ("2026-01-01 10:00:00 UTC [123] app@db ERROR:  |", "error", TEN),
    ("2026-01-01T10:00:00Z\terror\t|", "error", TEN),
    ("2026-01-01 10:00:00 error: |", "error", TEN),
    ("01-Jan-2026 10:00:00.000 SEVERE [main] |", "error", TEN),
    ("[01-Jan-2026 10:00:00 UTC] PHP Fatal error:  |", "error", TEN),
    ("Jan 01, 2026 10:00:00 AM |", None, TEN),
    ("fail: Shop.Cart[0] |", "error", None),
    ("(app:123): Gtk-CRITICAL **: 10:00:00.123: |", "critical", None),
    ("[1:0101/100000.123:ERROR:file.cc(12)] |", "error", None),
    ("E/Android( 123): |", "error", None),
    ("[   72.15] |", None, None),
]


@pytest.mark.parametrize(("shape", "severity", "time"), CASES, ids=[case[0] for case in CASES])
def test_an_envelope_is_told_from_the_message(shape, severity, time):
    line = f"{shape[:-1]}boom happened"

    envelope = parse_envelope(line, now=NOW)

    assert line[envelope.length :] == "boom happened"
    assert envelope.severity == severity
    assert (envelope.occurred_at and envelope.occurred_at.isoformat()) == time


@pytest.mark.parametrize(
    ("line", "severity", "time"),
    [
        ('{"level":"error","ts":"2026-01-01T10:00:00Z","msg":"boom"}', "error", TEN),
        ('{"time":1767261600000,"level":50,"msg":"boom"}', "error", TEN),
        ('{"@timestamp":"2026-01-01T10:00:00.000Z","log.level":"WARN"}', "warning", TEN),
        ('{"t":{"$date":"2026-01-01T10:00:00.000+00:00"},"s":"E"}', "error", TEN),
        ('{"asctime":"2026-01-01 10:00:00,000","levelname":"ERROR"}', "error", TEN),
        ('{"instant":{"epochSecond":1767261600},"level":"ERROR"}', "error", TEN),
        ('{"level":{"name":"ERROR"},"time":{"timestamp":1767261600.0}}', None, TEN),
        ("event='boom' level='error' timestamp='2026-01-01T10:00:00Z'", "error", TEN),
        ('{"s":"E"}', None, None),
        ('time="2026-01-01T10:00:00Z" level=error msg="boom"', "error", TEN),
        ('level=info msg="level=error"', "info", None),
        ("the level=error setting", None, None),
    ],
)
def test_fields_give_severity_and_time_but_no_length(line, severity, time):
    envelope = parse_envelope(line)

    assert (envelope.length, envelope.severity) == (0, severity)
    assert (envelope.occurred_at and envelope.occurred_at.isoformat()) == time


@pytest.mark.parametrize(
    "line",
    [
        "",
        "plain text",
        "ValueError: x",
        "java.lang.IllegalStateException: boom",
        "requests.exceptions.ConnectionError: boom",
        "Error: 0 errors found",
        "panic: runtime error",
        '  File "/srv/app/x.py", line 1',
        "    2026-01-01 10:00:00 indented",
        "goroutine 1 [running]:",
        "thread 'main' panicked at src/main.rs:4:5:",
        "[cause]: Error: x",
        "[SQL: SELECT 1]",
        "| column | other |",
        "(Background on this error at: https://e.example/e)",
        "found ERROR in line 3",
        "ERRORS: 3",
        "AH00037: boom",
        "W0101 bad",
        "at 10:00:00 it stopped",
    ],
)
def test_a_line_without_an_envelope_has_none(line):
    assert parse_envelope(line) == Envelope(0)


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        (
            "2026-01-01 10:00:00 ERROR java.lang.IllegalStateException: x",
            "java.lang.IllegalStateException: x",
        ),
        ("2026-01-01 10:00:00 java.lang.IllegalStateException: x", "java.lang.IllegalStateException: x"),
        ("2026-01-01 10:00:00 Error: x", "Error: x"),
        ("2026-01-01 10:00:00 panic: x", "panic: x"),
        ("2026-01-01 10:00:00 http: panic serving 1.2.3.4:5", "http: panic serving 1.2.3.4:5"),
        ("2026-01-01 10:00:00 Found ERROR in the answer", "Found ERROR in the answer"),
        ("2026-01-01 10:00:00 svc-api some text", "svc-api some text"),
        ("FATAL EXCEPTION: main", "FATAL EXCEPTION: main"),
        ("WARNING: DATA RACE", "WARNING: DATA RACE"),
        ("ERROR request failed: timeout", "request failed: timeout"),
        ("INFO found 3 ERROR lines", "found 3 ERROR lines"),
    ],
)
def test_the_message_is_never_taken_for_envelope(line, rest):
    assert line[parse_envelope(line).length :] == rest


def test_attributes_name_what_the_envelope_says():
    spring = parse_envelope("2026-01-01T10:00:00Z ERROR 1 --- [main] c.a.Foo : x")
    syslog = parse_envelope("Nov 21 03:55:01 db1 app[123]: x")

    assert spring.attributes == {"thread": "main", "logger": "c.a.Foo"}
    assert syslog.attributes == {"host": "db1", "service": "app", "pid": "123"}


def test_an_impossible_time_is_still_an_envelope():
    envelope = parse_envelope("2026-99-99 10:00:00 ERROR boom")

    assert (envelope.length, envelope.occurred_at, envelope.severity) == (26, None, "error")


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-01-01T00:00:00.000Z svc-api ",
        "2026-01-01T00:00:00.000Z svc-api",
        "2026-01-01T00:00:00.000Z stderr F ",
        "2026/01/01 10:00:00 ",
        "2026-01-01 10:00:00,123 - app - ERROR - ",
        "E0101 10:00:00.000000       1 file.go:12] ",
        "Nov 21 03:55:01 host app[123]: ",
        "10:00:00 web.1  | ",
        "[p1] ",
        "[ERROR] [x] ",
        "web  | ",
        "app_1  | ",
        "shop-6d4b75cb6d-hwx8k web ",
        "kafka-0 broker ",
        "[rank0]: ",
        "F, [2026-01-01T10:00:00.123456 #4711] FATAL -- : [3f1b7c1e-8a0d-4f0a] ",
        "INFO ",
        "ERROR app: ",
        "<3>",
        "    ",
        "\t",
        "",
        "2026-01-01 10:00:00,123 ERROR app: it failed badly: ",
        "WARNING retrying after this: ",
    ],
)
def test_a_trigger_may_come_after_an_envelope(prefix):
    assert can_precede(prefix)


@pytest.mark.parametrize(
    "prefix",
    [
        "The ",
        "he said ",
        "printed: ",
        "INFO looking for ",
        "INFO looking for it: ",
        "2026-01-01 INFO it says",
        "ERROR root ",
        ">>> ",
        "# ",
        "- ",
        '"',
        "x=",
        '{"log":"',
        "    | ",
        "  + Exception Group ",
        "[p1] " * 200,
    ],
)
def test_a_trigger_may_not_come_after_prose(prefix):
    assert not can_precede(prefix)


@pytest.mark.parametrize(
    "piece",
    [
        "ERROR ",
        "ERROR:",
        "[",
        "[[",
        "1 ",
        "a-1 ",
        '{"level":',
        "a=",
        "<3>",
        "2026-01-01 10:00:00 ",
        "- ",
        "a" * 7,
    ],
)
def test_hostile_lines_take_linear_time(piece):
    line = piece * (1_000_000 // len(piece))
    started = process_time()

    parse_envelope(line)
    can_precede(line)

    assert process_time() - started < 6


def test_no_line_of_a_warning_or_worse_is_ruled_out_unread(corpora):
    paths = [path for path in sorted((corpora / "loghub").rglob("*.log")) if path.stat().st_size < 3_000_000]
    lines = [line for path in paths for line in path.read_bytes().split(b"\n")]
    written = [
        f"{before}{name}{after}"
        for name in SEVERITY_OF
        for before in ("", "[", "level=")
        for after in (" x", "] x", ": x")
    ]

    for raw in [*lines, *(text.encode() for text in written), *(text.lower().encode() for text in written)]:
        if not may_be_severe(raw):
            assert parse_envelope(raw.decode("utf-8", "replace")).severity in {None, "info"}, raw


def test_a_code_in_brackets_is_of_the_message():
    line = "[2026-01-01 10:00:00] production.ERROR: SQLSTATE[HY000] [2002] Connection refused"

    assert line[parse_envelope(line, now=NOW).length :] == "SQLSTATE[HY000] [2002] Connection refused"
