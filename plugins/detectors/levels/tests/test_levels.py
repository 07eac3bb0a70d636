import csv
import re
from time import process_time

import pytest
from aiops_detector_levels import ErrorLevels, LevelsConfig

from aiops_core.testing import contract
from aiops_core.text.lines import More, Span, window


def only(found):
    assert len(found) == 1, [item.text for item in found]
    return found[0].event


@pytest.mark.parametrize(
    ("line", "type_", "message", "severity"),
    [
        ("2026-01-01T00:00:00.000Z svc-api ERROR request failed", "LogError", "request failed", "error"),
        ("2026-01-01 10:00:00,123 ERROR [main] c.a.Foo - boom", "c.a.Foo", "boom", "error"),
        ("2026-01-01T10:00:00.1Z ERROR 1 --- [main] c.a.Foo  : boom", "c.a.Foo", "boom", "error"),
        ("2026-01-01 10:00:00,123 - app - CRITICAL - boom", "app", "boom", "critical"),
        ("ERROR:root:boom", "root", "boom", "error"),
        ("ERROR app.db: query failed", "app.db", "query failed", "error"),
        ("[ERROR] boom", "LogError", "boom", "error"),
        (
            "[E 261123 01:02:03 web:12] 500 POST /sell (10.0.0.7) 4ms",
            "LogError",
            "500 POST /sell (10.0.0.7) 4ms",
            "error",
        ),
        ("[E 01:02:03.123 ServerApp] boom", "LogError", "boom", "error"),
        ("[C 01:02:03.123 ServerApp] boom", "LogError", "boom", "critical"),
        ("2026.11.23 01:02:03.123456 [ 33 ] {} <Error> shop: boom", "LogError", "shop: boom", "error"),
        ("2026.11.23 01:02:03.123456 [ 33 ] {3f-a1} <Error> shop: boom", "LogError", "shop: boom", "error"),
        ("FATAL: boom", "LogError", "boom", "critical"),
        ("SEVERE: boom", "LogError", "boom", "error"),
        ("E0101 10:00:00.000000       1 file.go:12] boom", "LogError", "boom", "error"),
        ("F0101 10:00:00.000000       1 file.cc:12] boom", "LogError", "boom", "critical"),
        ("E, [2026-01-01T10:00:00.123456 #123] ERROR -- prog: boom", "prog", "boom", "error"),
        ("Nov 21 03:55:01 host app[123]: ERROR boom", "LogError", "boom", "error"),
        ("Sat 2026-11-21 03:55:01 CST host app[123]: ERROR boom", "LogError", "boom", "error"),
        ("六 2026-11-21 03:55:01 CST host app[123]: ERROR boom", "LogError", "boom", "error"),
        ("[ 9000.410000] host app[123]: ERROR boom", "LogError", "boom", "error"),
        ("2026-11-21 03:55:01 ERROR app[123]: boom", "LogError", "boom", "error"),
        ("2026-11-21 03:55:01 (ERROR) shop: boom", "LogError", "shop: boom", "error"),
        ("2026-11-21 03:55:01 {ERROR} boom", "LogError", "boom", "error"),
        ("2026-11-21 03:55:01 【错误】 支付失败", "LogError", "支付失败", "error"),
        ("【2026-11-21 03:55:01】【main】【ERROR】:支付失败", "LogError", "支付失败", "error"),
        ("2026-11-21 03:55:01.123 +08 [33] ERROR:  boom", "LogError", "boom", "error"),
        ("<3>boom", "LogError", "boom", "error"),
        ("<2>boom", "LogError", "boom", "critical"),
        (
            "[Thu Nov 21 03:55:01.123456 2026] [core:error] [pid 1:tid 2] AH00037: boom",
            "LogError",
            "AH00037: boom",
            "error",
        ),
        (
            "[Sun Dec 04 04:47:44 2005] [error] mod_jk in error state 6",
            "LogError",
            "mod_jk in error state 6",
            "error",
        ),
        ("2026/01/01 10:00:00 [crit] 123#123: *1 boom", "LogError", "boom", "critical"),
        ("app_1  | 2026-01-01 10:00:00 ERROR boom", "LogError", "boom", "error"),
        ("2026-01-01 10:00:00.123 | ERROR    | shop:pay:12 - boom", "shop", "boom", "error"),
        ("2026-01-01 10:00:00 [error    ] boom", "LogError", "boom", "error"),
        ("[2026-01-01 10:00:00,123: ERROR/ForkPoolWorker-1] boom", "LogError", "boom", "error"),
        ("[2026-01-01T10:00:00Z ERROR my_crate] boom", "LogError", "boom", "error"),
        ("[10:00:00 ERR] boom", "LogError", "boom", "error"),
        ("[10:00:00 FTL] boom", "LogError", "boom", "critical"),
        ("2026-01-01 10:00:00.1234|ERROR|Shop|boom", "Shop", "boom", "error"),
        ("2026-01-01 10:00:00.123 UTC [9] ERROR:  no relation", "LogError", "no relation", "error"),
        ("2026-01-01T10:00:00.1Z 0 [ERROR] [MY-010119] [Server] Aborting", "LogError", "Aborting", "error"),
        ("2026-01-01 10:00:00 error: boom", "LogError", "boom", "error"),
        ("03-17 16:13:46.764  2227  2794 E Keyguard: boom", "Keyguard", "boom", "error"),
        ("2016-09-28 04:30:30, Error                 CBS    boom", "LogError", "CBS    boom", "error"),
        ("\x1b[31mERROR\x1b[0m boom", "LogError", "boom", "error"),
        ('{"level":"error","logger":"shop","msg":"boom"}', "shop", "boom", "error"),
        ('{"severity": "CRITICAL", "message": "boom"}', "LogError", "boom", "critical"),
        ('{"level":50,"time":1700000000000,"msg":"boom"}', "LogError", "boom", "error"),
        ('{"@l":"Error","@mt":"boom"}', "LogError", "boom", "error"),
        ('{"log":{"level":"error","logger":"shop"},"message":"boom"}', "shop", "boom", "error"),
        (
            '{"level":"error","msg":"boom","error":{"message":"no disk"}}',
            "LogError",
            "boom: no disk",
            "error",
        ),
        (
            'time="2026-01-01T10:00:00Z" level=error msg="it \\"broke\\"" err=eof',
            "LogError",
            'it "broke": eof',
            "error",
        ),
        ("2026-01-01T10:00:00Z level=fatal msg=boom", "LogError", "boom", "critical"),
        ("ts=1 lvl=eror msg=boom", "LogError", "boom", "error"),
        (
            "2026-01-01T10:00:00.1Z pid=12 tid=abc class=Booker jid=4f2a9c ERROR: boom",
            "LogError",
            "boom",
            "error",
        ),
        (
            "2026-01-01 10:00:00.123 ERROR 12 --- [ad | producer-1] o.a.k.Sender   : boom",
            "o.a.k.Sender",
            "boom",
            "error",
        ),
        (
            "2026-01-01 10:00:00,123 ERROR [com.acme.Shop] (executor-thread-1) boom",
            "LogError",
            "boom",
            "error",
        ),
        (
            "2026-01-01 10:00:00,123 ERROR org.apache.flink.Task     [] - boom",
            "org.apache.flink.Task",
            "boom",
            "error",
        ),
        ("2026/01/01 10:00:00 ERRO boom", "LogError", "boom", "error"),
        ("E20260101 10:00:00.123456 12 shop.cc:31] boom", "LogError", "boom", "error"),
        ("[10:00:00.123] [Critical] acme.net: boom", "acme.net", "boom", "critical"),
        ("2026-01-01T10:00:00.123 [Error] boom", "LogError", "boom", "error"),
        ("[Nest] 12  - 01/02/2026, 4:05:06 AM   ERROR [Shop] boom", "LogError", "boom", "error"),
        (
            "[ERROR]\t2026-01-01T10:00:00.1Z\t4f2a9c0d-1b2c-4d3e-8f90-0a1b2c3d4e5f\tboom",
            "LogError",
            "boom",
            "error",
        ),
        ("2026-01-01T10:00:00Z E! [inputs.http] boom", "LogError", "boom", "error"),
        ("[httpd] 2026/01/01 10:00:00 [E] boom", "LogError", "boom", "error"),
        ("2026-01-01 10:00:00,123 - util.py[ERROR]: boom", "util.py", "boom", "error"),
        ("01-Jan-2026 10:00:00.123 general: error: boom", "general", "boom", "error"),
        ("2026-01-01 10:00:00 worker: fatal: boom", "worker", "boom", "critical"),
        ("2026-01-01T10:00:00.1234567Z ##[error]boom", "LogError", "boom", "error"),
        (
            "2026-01-01 10:00:00 ERROR net - MAC 00:11:22:33:44:55 boom",
            "net",
            "MAC 00:11:22:33:44:55 boom",
            "error",
        ),
        ("2026-01-01 10:00:00 ERROR net - backup 12:33:11 boom", "net", "backup 12:33:11 boom", "error"),
        ("ERROR: 0x80070005", "LogError", "0x80070005", "error"),
        ("ERROR: no error handler for x", "LogError", "no error handler for x", "error"),
        ("ERROR: 0 errors, 3 failed", "LogError", "0 errors, 3 failed", "error"),
        ("ERROR: none of them answered", "LogError", "none of them answered", "error"),
    ],
)
def test_a_line_of_a_high_level_is_an_event(find, line, type_, message, severity):
    event = only(find(ErrorLevels(), text=f"before\n{line}\nafter\n"))

    assert (event.type, event.message, event.severity) == (type_, message, severity)


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01 10:00:00 INFO 0 errors found, ERROR count is 0",
        "2026-01-01 10:00:00,123 INFO [main] c.a.ErrorHandler - ERROR handling installed",
        "2026-01-01 10:00:00 WARN retrying after ERROR",
        "Error: 0 errors found",
        "no Exception, no ERROR",
        "the word ERROR in prose",
        "found ERROR in line 3",
        "2026-01-01 10:00:00 Found ERROR in the answer",
        "2026-01-01 10:00:00 error reading is no level here",
        "2026-01-01 10:00:00 note: error handling was changed",
        "01-Jan-2026 10:00:00.123 general: info: zone loaded, error: none",
        "## [error] handling",
        "Errors: none",
        "ERROR: 0",
        "FATAL: 0, ERROR: 0",
        "ERROR: none",
        "ERROR: no errors",
        "2026-01-01 10:00:00 ERROR 0 errors found",
        "==4711== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)",
        '{"level":"error","msg":"0 errors, 0 warnings"}',
        "2026-01-01 10:00:00 ERROR [3f1b7c1e-8a0d-4f0a]   ",
        "ERROR_CODE=3",
        "ERRORS 3",
        'level=info msg="ERROR: x"',
        '{"level":"info","msg":"ERROR","error":"x"}',
        '{"msg":"level of error","error":"error"}',
        '{"level":30,"msg":"50"}',
        "<6>boom",
        "IOThunderboltSwitch<0>(0x0)::listenerCallback",
        "I0101 10:00:00.000000       1 file.go:12] ERROR in the message",
        "2026-01-01 10:00:00 ERROR",
        "ERROR ---",
        "ERROR ???",
        "  ERROR indented text of something else",
        "The level=error setting was changed",
        "npm ERR! code E404",
    ],
)
def test_words_that_are_no_level_make_no_event(find, line):
    assert find(ErrorLevels(), text=f"{line}\n") == []


def test_the_envelope_gives_attributes(find):
    event = only(find(ErrorLevels(), text="2026-01-01 10:00:00,123 ERROR [main] c.a.Foo - boom\n"))

    assert event.attributes == {"thread": "main", "logger": "c.a.Foo"}


def test_a_message_below_its_level_belongs_to_the_event(find):
    [found] = find(ErrorLevels(), text="fail: Shop.Cart[0]\n      it broke\ninfo: Shop.Cart[0]\n      fine\n")

    assert found.text == "fail: Shop.Cart[0]\n      it broke\n"
    assert (found.event.type, found.event.message) == ("Shop.Cart", "it broke")


def test_a_level_without_its_message_waits_for_the_next_line():
    detector = ErrorLevels()

    assert detector.cut(window("fail: Shop.Cart[0]\n", final=False), 0) == More(0)
    assert detector.cut(window("fail: Shop.Cart[0]\n"), 0) is None
    assert detector.cut(window("ERROR x\n", final=False), 0) == Span(0, 1)


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [
        ("critical", ["critical"]),
        ("error", ["error", "critical"]),
        ("warning", ["warning", "error", "critical"]),
    ],
)
def test_the_minimum_decides_which_levels_count(find, minimum, expected):
    text = "INFO a\nWARNING b\nERROR c\nCRITICAL d\n"

    found = find(ErrorLevels(LevelsConfig(minimum=minimum)), text=text)

    assert [item.event.severity for item in found] == expected


@pytest.mark.parametrize(
    "line",
    [
        "[warn] x",
        '{"level":"warning","msg":"x"}',
        "level=warn msg=x",
        "W0101 10:00:00.000000       1 file.go:12] x",
        '{"level":40,"msg":"x"}',
        "<4>x",
    ],
)
def test_warnings_are_found_in_every_format_when_wanted(find, line):
    event = only(find(ErrorLevels(LevelsConfig(minimum="warning")), text=f"{line}\n"))

    assert event.severity == "warning"


def test_a_broken_json_line_keeps_its_text(find):
    line = '{"level":"error","msg":"boom'

    assert only(find(ErrorLevels(), text=f"{line}\n")).message == line


def test_lines_of_real_systems_are_judged_by_their_level(corpora, find):
    for path in sorted((corpora / "loghub" / "corrected").glob("*/*_2k.log")):
        with path.with_name(f"{path.name}_structured_corrected.csv").open(encoding="utf-8") as table:
            levels = [row.get("Level") for row in csv.DictReader(table)]

        found = find(ErrorLevels(), text=path.read_bytes())

        if levels[0] is None:
            assert all(re.search(r"\b[A-Z]{4,}\b|\[Error\]", item.text) for item in found), path.name
        else:
            high = [level for level in levels if level.upper() in {"E", "F", "ERROR", "FATAL", "SEVERE"}]
            assert len(found) == len(high), path.name


@pytest.mark.parametrize(
    "text",
    [
        "ERROR " * 200_000 + "\n",
        "ERROR:" * 200_000 + "\n",
        '{"level":"error"' * 50_000 + "\n",
        "a=" * 300_000 + " level=error\n",
    ],
)
def test_hostile_lines_take_linear_time(find, text):
    started = process_time()

    find(ErrorLevels(), text=text)

    assert process_time() - started < 6


test_contract = contract(
    ErrorLevels,
    good=["2026-01-01 10:00:00,123 ERROR [main] c.a.Foo - boom\n"],
    bad=["started, 0 errors found\n"],
)
