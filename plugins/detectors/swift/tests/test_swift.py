"""Reports of Swift and Objective-C become events."""

import random

import pytest
from aiops_detector_swift import SwiftConfig, SwiftErrors

from aiops_core.testing import contract
from aiops_core.testing.detecting import find

PLACED = """\
shop/main.swift:3: Fatal error: no stock
"""
TRAILED = """\
Fatal error: Index out of range: file /build/swift/stdlib/public/core/ContiguousArrayBuffer.swift, line 444
"""
BACKTRACE = """\
shop/Basket.swift:31: Fatal error: Unexpectedly found nil while unwrapping an Optional value

*** Program crashed: Illegal instruction at 0x000055d0aa10 ***

Thread 0 "shop" crashed:

0 [ra] 0x000055d0aa10 _assertionFailure(_:_:file:line:flags:) + 342 in libswiftCore.so
1 0x000055d0bb20 Basket.total() + 40 in shop at /srv/shop/Sources/shop/Basket.swift:31:18

    29│ func total() -> Int {
    30│   let prices = load()
    31│   return prices!.reduce(0, +)
      │                 ▲
    32│ }

2 [ra] 0x000055d0cc30 main + 15 in shop at /srv/shop/Sources/shop/main.swift:12:3
3 [ra] [system] 0x7f0a2b3c __libc_start_main in libc.so.6

Backtrace took 0.12s

"""
FAILURE = """\
*** Signal 4: Backtracing from 0x5aa0c4306a32... done ***

*** Swift runtime failure: Division by zero ***

Thread 3 "worker-2" crashed:

 0 [inlined] [system] 0x00005aa0c4306a32 Swift runtime failure: Division by zero in shop at //<compiler-generated>
 1                    0x00005aa0c4306a32 Basket.share(of:) + 386 in shop at /srv/shop/Sources/shop/Basket.swift:35:52
10 [ra]               0x00005aa0c4c13398 main + 535 in shop at /srv/shop/Sources/shop/main.swift:7:1
"""
OLD = """\
Fatal error: no stock: file /srv/shop/Sources/shop/Basket.swift, line 9
Current stack trace:
0    libswiftCore.so                    0x00007f0a2b3c0000 _swift_stdlib_reportFatalErrorInFile + 112
1    shop                               0x000055d0bb200000 Basket.total() + 40
2    shop                               0x000055d0cc300000 main + 15
"""
OBJECTIVE_C = """\
*** Terminating app due to uncaught exception 'NSInvalidArgumentException', reason: '-[NSNull length]: unrecognized selector sent to instance 0x1f0'
*** First throw call stack:
(
\t0   CoreFoundation                      0x000000018040f1a8 __exceptionPreprocess + 172
\t1   libobjc.A.dylib                     0x000000018000c9b8 objc_exception_throw + 60
\t2   Shop                                0x0000000100a01b2c -[BasketController reload] + 88
\t3   UIKitCore                           0x0000000184f2a1c0 -[UIViewController viewDidLoad] + 20
)
libc++abi: terminating due to uncaught exception of type NSException
"""
CAST = """\
Could not cast value of type 'Shop.Order' (0x100a01b2c) to 'Shop.Invoice' (0x100a01b30).
"""
REPORTS = {
    "placed": PLACED,
    "trailed": TRAILED,
    "old": OLD,
    "objective c": OBJECTIVE_C,
    "cast": CAST,
}


@pytest.mark.parametrize("step", [0, 1, 2, 3])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_form_is_one_event_from_its_first_line_to_its_last_however_it_arrives(report, step):
    first, second = find(SwiftErrors(), text=f"before\n{report}12:00:00 INFO done\n{report}", step=step)

    assert first.event.language == "swift"
    assert (first.text, second.text) == (report, report)


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_the_words_the_backtrace_and_the_source_between_its_frames_are_one_event(step):
    (found,) = find(SwiftErrors(), text=f"before\n{BACKTRACE}2026-01-02 03:04:05 INFO after\n", step=step)

    assert (found.start, found.end) == (1, BACKTRACE.rstrip().count("\n") + 2)


@pytest.mark.parametrize(
    ("report", "name", "message"),
    [
        (PLACED, "Fatal error", "no stock"),
        (TRAILED, "Fatal error", "Index out of range"),
        (BACKTRACE, "Fatal error", "Unexpectedly found nil while unwrapping an Optional value"),
        (
            OBJECTIVE_C,
            "NSInvalidArgumentException",
            "-[NSNull length]: unrecognized selector sent to instance 0x1f0",
        ),
        (PLACED.replace("Fatal error", "Precondition failed"), "Precondition failed", "no stock"),
        (PLACED.replace("Fatal error", "Assertion failed"), "Assertion failed", "no stock"),
    ],
)
def test_type_and_message_are_read(report, name, message):
    (found,) = find(SwiftErrors(), text=report)

    assert (found.event.type, found.event.message) == (name, message)


def test_frames_run_from_the_outermost_call_and_the_runtime_is_not_own_code():
    (found,) = find(SwiftErrors(), text=BACKTRACE)

    assert [(frame.function, frame.module, frame.line, frame.in_app) for frame in found.event.frames] == [
        ("__libc_start_main", "libc.so.6", 0, False),
        ("main", "shop", 12, True),
        ("Basket.total", "shop", 31, True),
        ("_assertionFailure", "libswiftCore.so", 0, False),
    ]
    assert found.event.frames[2].file == "/srv/shop/Sources/shop/Basket.swift"


@pytest.mark.parametrize("before", ["", "shop-1  | "])
def test_a_failure_of_the_runtime_is_told_with_its_aligned_stack(before):
    (found,) = find(SwiftErrors(), text="".join(before + line for line in FAILURE.splitlines(keepends=True)))

    assert (found.event.type, found.event.message) == ("Swift runtime failure", "Division by zero")
    assert [frame.function for frame in found.event.frames if frame.in_app] == ["main", "Basket.share"]
    assert found.event.attributes["thread"] == "worker-2"


def test_frameworks_are_not_own_code():
    (found,) = find(SwiftErrors(), text=OBJECTIVE_C)

    assert [frame.module for frame in found.event.frames if frame.in_app] == ["Shop"]


def test_own_modules_can_be_named_and_excluded():
    config = SwiftConfig(in_app=["UIKitCore"], not_in_app=["Shop"])

    (found,) = find(SwiftErrors(config), text=OBJECTIVE_C)

    assert [frame.module for frame in found.event.frames if frame.in_app] == ["UIKitCore"]


def test_the_thread_that_crashed_is_told():
    (found,) = find(SwiftErrors(), text=BACKTRACE)

    assert found.event.attributes["thread"] == "shop"


def test_an_error_without_a_backtrace_names_its_place():
    (found,) = find(SwiftErrors(), text=PLACED)

    assert [(frame.file, frame.line, frame.in_app) for frame in found.event.frames] == [
        ("shop/main.swift", 3, True)
    ]


def test_a_reason_of_several_lines_is_whole():
    text = OBJECTIVE_C.replace("instance 0x1f0'", "instance 0x1f0\nuser info: none'")

    (found,) = find(SwiftErrors(), text=text)

    assert found.event.message.endswith("instance 0x1f0\nuser info: none")


def test_the_logging_line_that_introduced_a_crash_is_joined():
    line = "2026-01-02 03:04:05 ERROR worker gone\n"

    (found,) = find(SwiftErrors(), text=f"2026-01-02 03:04:05 INFO hello\n{line}{PLACED}")

    assert (found.headline, found.start) == (line.strip(), 1)


@pytest.mark.parametrize("report", [PLACED, OLD, OBJECTIVE_C])
def test_two_processes_that_write_between_each_other_are_two_events(report):
    text = "".join(f"[p1] {one}\n[p2] {one}\n" for one in report.splitlines())

    found, (alone,) = find(SwiftErrors(), text=text), find(SwiftErrors(), text=report)

    assert [(one.event.type, one.event.frames) for one in found] == [
        (alone.event.type, alone.event.frames)
    ] * 2


def test_every_report_is_critical():
    for report in REPORTS.values():
        (found,) = find(SwiftErrors(), text=report)

        assert found.event.severity == "critical"


def test_a_report_that_was_cut_off_is_an_event_still():
    (found,) = find(SwiftErrors(), text="".join(OBJECTIVE_C.splitlines(keepends=True)[:5]))

    assert (found.event.type, len(found.event.frames)) == ("NSInvalidArgumentException", 2)


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "no exception was raised",
        "Executed 12 tests, with 0 failures (0 unexpected) in 0.1 seconds",
        "Fatal error: the configuration cannot be read",
        "Sources/shop/main.swift:3: warning: variable 'x' was never used",
        "Fatal errors are shown to people",
        "Stack dump: none",
    ],
)
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(SwiftErrors(), text=f"start\n{line}\nend\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(SwiftErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    for report in [*REPORTS.values(), BACKTRACE] * 20:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(SwiftErrors(), text="".join(lines)[: chance.randrange(len(report))])


test_contract = contract(SwiftErrors, good=[PLACED, OLD], bad=["started, 0 errors found\n"])
