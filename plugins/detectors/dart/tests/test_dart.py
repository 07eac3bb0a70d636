"""Errors of Dart and Flutter become events."""

import random

import pytest
from aiops_detector_dart import DartConfig, DartErrors

from aiops_core.testing import contract
from aiops_core.testing.detecting import find

STACK = """\
#0      Basket.total (package:shop/src/basket.dart:31:7)
#1      Iterable.fold (dart:core/iterable.dart:310:22)
<asynchronous suspension>
#2      main (file:///srv/shop/bin/serve.dart:12:3)
#3      _startIsolate.<anonymous closure> (dart:isolate-patch/isolate_patch.dart:265)
"""
REPORT = f"Unhandled exception:\nBad state: no stock\n{STACK}"
CHAIN = """\
Unhandled exception:
TimeoutException after 0:00:05.000000: Future not completed
package:shop/src/db.dart 10:5     Pool.take.<fn>
dart:async                        _startMicrotaskLoop
===== asynchronous gap ===========================
dart:async                        Future.then
bin/serve.dart 5:3                main
"""
OBFUSCATED = """\
Unhandled exception:
Exception: no stock
Warning: This VM has been configured to produce stack traces that violate the Dart standard.
*** *** *** *** *** *** *** *** *** *** *** *** *** *** *** ***
pid: 30930, tid: 30990, name 1.ui
os: android arch: arm64 comp: yes sim: no
build_id: '5f3e2a1c9d8b7a6f5e4d3c2b1a098f7e'
isolate_dso_base: 6f5d2c0000, vm_dso_base: 6f5d2c0000
isolate_instructions: 6f5d3a1000, vm_instructions: 6f5d390000
    #00 abs 0000006f5d6a2c5b virt 00000000003cdc5b _kDartIsolateSnapshotInstructions+0x1adc9b
    #01 abs 0000006f5d6a2c11 virt 00000000003cdc11 _kDartIsolateSnapshotInstructions+0x1adc51
    #02 abs 0000006f5d390a10 virt 00000000000bba10 _kDartVmSnapshotInstructions+0x10
<asynchronous suspension>
"""
CRASH = """\
===== CRASH =====
si_signo=Segmentation fault(11), si_code=1, si_addr=0x10
version=3.3.0 (stable) (Tue Feb 13 10:25:19 2024 +0000) on "linux_x64"
pid=812, thread=815, isolate_group=main(0x55d0), isolate=main(0x55d1)
os=linux, arch=x64, comp=no, sim=no
fp=7f0a2b3c, sp=7f0a2b10, pc=55d0aa10
  pc 0x000055d0aa10 fp 0x00007f0a2b3c sp 0x00007f0a2b10 dart::Object::Allocate+0x20
  pc 0x000055d0ab20 fp 0x00007f0a2b5c sp 0x00007f0a2b40 Basket_total+0x11
-- End of DumpStackTrace
"""
LOGGED = f"FormatException: Invalid price (at character 3)\n12x\n  ^\n\n{STACK}"
FAILED_TEST = """\
00:01 +3 -1: the basket counts its items [E]
  Expected: <2>
    Actual: <1>
  package:matcher                  expect
  test/basket_test.dart 14:5       main.<fn>
"""
MADE = "lib/basket.dart:31:7: Error: The getter 'prize' isn't defined for the class 'Item'.\n    item.prize;\n         ^^^^^\n"
ALL = (REPORT, CHAIN, OBFUSCATED, CRASH, LOGGED, FAILED_TEST, MADE)


@pytest.mark.parametrize("report", ALL)
def test_every_form_is_one_event_from_its_first_line_to_its_last(report):
    (found,) = find(DartErrors(), text=f"before\n{report}after\n")

    assert found.event.language == "dart"
    assert found.text == report


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("report", ALL)
def test_it_does_not_matter_in_which_pieces_a_report_arrives(report, step):
    text = f"before\n{report}after\n{report}"

    whole, pieces = find(DartErrors(), text=text), find(DartErrors(), text=text, step=step)

    assert [(one.event, one.start, one.end) for one in pieces] == [
        (one.event, one.start, one.end) for one in whole
    ]
    assert len(whole) == 2


def test_frames_run_from_the_outermost_call_and_only_own_code_is_marked():
    (found,) = find(DartErrors(), text=REPORT)

    assert [(frame.function, frame.line, frame.in_app) for frame in found.event.frames] == [
        ("_startIsolate.<anonymous closure>", 265, False),
        ("main", 12, True),
        ("Iterable.fold", 310, False),
        ("Basket.total", 31, True),
    ]
    assert found.event.frames[1].file == "/srv/shop/bin/serve.dart"
    assert (found.event.frames[3].file, found.event.frames[3].module) == (
        "package:shop/src/basket.dart",
        "shop",
    )


def test_own_packages_can_be_named_and_others_excluded():
    config = DartConfig(in_app=["dart:core"], not_in_app=["shop", "/srv/"])

    (found,) = find(DartErrors(config), text=REPORT)

    assert [frame.function for frame in found.event.frames if frame.in_app] == ["Iterable.fold"]


@pytest.mark.parametrize(
    ("words", "name", "message"),
    [
        ("Bad state: no stock", "StateError", "Bad state: no stock"),
        ("Invalid argument(s) (price): Must not be null", "ArgumentError", "Must not be null"),
        (
            "RangeError (length): Invalid value: Not in inclusive range 0..2: 3",
            "RangeError",
            "Not in inclusive",
        ),
        ("type 'Null' is not a subtype of type 'String' in type cast", "TypeError", "type 'Null'"),
        ("Null check operator used on a null value", "TypeError", "Null check"),
        (
            "'package:shop/a.dart': Failed assertion: line 3 pos 5: 'x > 0': is not true.",
            "AssertionError",
            "x > 0",
        ),
        ("Exception: boom", "Exception", "boom"),
        ("PlatformException(sign_in_failed, no network, null, null)", "PlatformException", "sign_in_failed"),
        ("DioException [bad response]: status 502", "DioException", "[bad response]: status 502"),
        (
            "SocketException: Failed host lookup: 'db' (OS Error: x, errno = 7)",
            "SocketException",
            "Failed host",
        ),
        (
            "LateInitializationError: Field 'x' has not been initialized.",
            "LateInitializationError",
            "Field 'x'",
        ),
        ("Instance of 'OutOfStock'", "OutOfStock", "Instance of 'OutOfStock'"),
        ("PaymentRefused: card expired", "PaymentRefused", "card expired"),
        ("no stock left", "Error", "no stock left"),
        ("Stack Overflow", "StackOverflowError", "Stack Overflow"),
        (
            "NoSuchMethodError: Class 'int' has no instance method 'go'.\nReceiver: 3\nTried calling: go()",
            "NoSuchMethodError",
            "Class 'int' has no instance method 'go'.\nReceiver: 3\nTried calling: go()",
        ),
    ],
)
def test_what_was_thrown_is_named_by_its_class(words, name, message):
    (found,) = find(DartErrors(), text=f"Unhandled exception:\n{words}\n{STACK}")

    assert found.event.type == name
    assert message in found.event.message


def test_a_chain_over_asynchronous_gaps_is_one_stack():
    (found,) = find(DartErrors(), text=CHAIN)

    assert found.event.type == "TimeoutException"
    assert [(frame.file, frame.line, frame.function) for frame in found.event.frames] == [
        ("bin/serve.dart", 5, "main"),
        ("dart:async", 0, "Future.then"),
        ("dart:async", 0, "_startMicrotaskLoop"),
        ("package:shop/src/db.dart", 10, "Pool.take.<fn>"),
    ]


def test_a_stack_without_symbols_keeps_its_places_and_its_thread():
    (found,) = find(DartErrors(), text=OBFUSCATED)

    assert (found.event.type, found.event.message) == ("Exception", "no stock")
    assert found.event.attributes["thread"] == "1.ui"
    assert [(frame.function, frame.in_app) for frame in found.event.frames] == [
        ("_kDartVmSnapshotInstructions+0x10", False),
        ("_kDartIsolateSnapshotInstructions+0x1adc51", True),
        ("_kDartIsolateSnapshotInstructions+0x1adc9b", True),
    ]


def test_a_crash_of_the_virtual_machine_is_critical():
    (found,) = find(DartErrors(), text=CRASH)

    assert (found.event.type, found.event.severity) == ("Segmentation fault", "critical")
    assert found.event.attributes["thread"] == "main"
    assert found.event.frames[-1].function == "dart::Object::Allocate"


def test_a_logged_error_is_found_by_its_stack_and_joins_the_line_that_introduced_it():
    line = "2026-01-02 03:04:05.678 SEVERE basket: counting failed\n"

    (found,) = find(DartErrors(), text=f"INFO before\n{line}{LOGGED}INFO after\n")

    assert found.headline == line.strip()
    assert (found.event.type, found.start) == ("FormatException", 1)
    assert found.event.message == "Invalid price (at character 3)\n12x\n  ^"


def test_the_logging_line_itself_may_name_the_error_or_only_introduce_the_stack():
    named = f"2026-01-02 03:04:05 ERROR basket - SocketException: Connection refused\n{STACK}"
    unnamed = f"2026-01-02 03:04:05 ERROR counting failed\n{STACK}"

    one, other = find(DartErrors(), text=named + unnamed)

    assert (one.event.type, one.event.message) == ("SocketException", "Connection refused")
    assert (other.event.type, other.headline) == ("Error", unnamed.partition("\n")[0])
    assert (one.start, one.end, other.end) == (0, 6, 12)


def test_a_stack_that_no_error_introduced_is_none():
    assert find(DartErrors(), text=f"INFO this is where it was made\n{STACK}") == []
    assert find(DartErrors(), text=f"2026-01-02 03:04:05 INFO watched\n{STACK}") == []
    assert find(DartErrors(), text=STACK) == []


def test_two_errors_one_after_the_other_are_two():
    assert len(find(DartErrors(), text=REPORT + REPORT + LOGGED + CHAIN)) == 4


def test_a_stack_that_was_cut_off_is_an_event_still():
    lines = REPORT.splitlines(keepends=True)

    (found,) = find(DartErrors(), text="".join(lines[:3]))

    assert (found.event.type, len(found.event.frames)) == ("StateError", 1)


def test_a_long_recursion_is_folded_and_read_in_linear_time():
    calls = "".join(f"#{n}      f (package:shop/f.dart:3:5)\n" for n in range(4000))

    (found,) = find(DartErrors(), text=f"Unhandled exception:\nStack Overflow\n{calls}...\n...\n")

    assert (found.event.severity, len(found.event.frames), found.end) == ("critical", 200, 4004)


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "00:03 +12: All tests passed!",
        "Analyzing shop... No issues found!",
        "#0 ready at lib/main.dart: started",
        "Unhandled exception: none",
        "lib/basket.dart:31:7: Warning: Operand of null-aware operation",
        "Compiled lib/main.dart 3:5 times",
    ],
)
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(DartErrors(), text=line + "\nnext\n") == []


@pytest.mark.parametrize(
    "report",
    [
        "Unhandled exception:\nSystem.InvalidOperationException: x\n  at Shop.Main () [0x00000] in <1>:0\n",
        "PHP Fatal error:  Uncaught Exception: x in /a.php:3\nStack trace:\n#0 /a.php(4): f()\n#1 {main}\n",
        'Exception in thread "main" java.lang.Error\n\tat a.B.c(B.java:3)\n',
        "#0 0x55d0 in main /srv/a.cc:3\n",
    ],
)
def test_reports_of_other_languages_are_left_to_their_detectors(report):
    assert find(DartErrors(), text=report) == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(DartErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    for report in ALL * 4:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(DartErrors(), text="".join(lines)[: chance.randrange(len(report))])


test_contract = contract(DartErrors, good=[REPORT], bad=["started, 0 errors found\n"])
