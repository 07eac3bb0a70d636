"""Reports of native programs become events."""

import json
import random

import pytest
from aiops_detector_cpp import CppConfig, CppErrors

from aiops_core.testing import contract
from aiops_core.testing.detecting import find
from aiops_core.text.blocks import Grammar

ASAN = """\
=================================================================
==4711==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x55d0 bp 0x7ffd sp 0x7ffc
READ of size 4 at 0x602000000010 thread T3
    #0 0x55d0aa in Basket::total() const /srv/shop/basket.cc:31:7
    #1 0x55d0bb in __asan_memcpy (/srv/shop/bin/shop+0xbb)
    #2 0x55d0cc in main /srv/shop/main.cc:12:3
    #3 0x7f0a in __libc_start_main (/lib/x86_64-linux-gnu/libc.so.6+0x29d8f)

0x602000000010 is located 0 bytes inside of 4-byte region [0x602000000010,0x602000000014)
freed by thread T0 here:
    #0 0x55d0dd in operator delete(void*) (/srv/shop/bin/shop+0xdd)
    #1 0x55d0ee in Basket::clear() /srv/shop/basket.cc:40:3

SUMMARY: AddressSanitizer: heap-use-after-free /srv/shop/basket.cc:31:7 in Basket::total() const
==4711==ABORTING
"""
THROWN = """\
terminate called after throwing an instance of 'shop::OutOfStock'
  what():  no stock
Aborted (core dumped)
"""
OF_A_SHELL = """\
terminate called after throwing an instance of 'shop::OutOfStock'
  what():  no stock
of this
sell.sh: line 3:  4711 Aborted                 ./shop
"""
ASSERTED = "shop: shop.c:3: sell: Assertion `stock > 0' failed.\n"
MACOS = "Assertion failed: (stock > 0), function sell, file shop.c, line 3.\n"
UNDEFINED = """\
basket.cc:31:7: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'
    #0 0x55d0aa in Basket::total() basket.cc:31:7
    #1 0x55d0cc in main main.cc:12:3
SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior basket.cc:31:7
"""
HEAP = "free(): double free detected in tcache 2\n"
SMASHED = "*** stack smashing detected ***: terminated\n"
RACE = """\
==================
WARNING: ThreadSanitizer: data race (pid=4711)
  Write of size 8 at 0x7b04 by thread T1:
    #0 Counter::add() /srv/shop/counter.cc:9 (shop+0x4a)
    #1 worker /srv/shop/main.cc:20 (shop+0x4b)

  Previous read of size 8 at 0x7b04 by main thread:
    #0 Counter::get() /srv/shop/counter.cc:14 (shop+0x4c)

SUMMARY: ThreadSanitizer: data race /srv/shop/counter.cc:9 in Counter::add()
==================
"""
VALGRIND = """\
==4711== Invalid read of size 4
==4711==    at 0x1091A2: sell (shop.c:3)
==4711==    by 0x1091C4: main (main.c:7)
==4711==  Address 0x4a4b040 is 0 bytes after a block of size 4 alloc'd
"""
REPORTS = {
    "address": ASAN,
    "thrown": THROWN,
    "of a shell": OF_A_SHELL,
    "asserted": ASSERTED,
    "macos": MACOS,
    "undefined": UNDEFINED,
    "heap": HEAP,
    "smashed": SMASHED,
    "race": RACE,
    "valgrind": VALGRIND,
}


@pytest.mark.parametrize("step", [0, 1, 2, 3])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_form_is_one_event_from_its_first_line_to_its_last_however_it_arrives(report, step):
    first, second = find(CppErrors(), text=f"before\n{report}12:00:00 INFO done\n{report}", step=step)

    assert first.event.language == "cpp"
    assert (first.text, second.text) == (report, report)


@pytest.mark.parametrize(
    ("report", "name", "message"),
    [
        (ASAN, "AddressSanitizer: heap-use-after-free", "heap-use-after-free on address"),
        (THROWN, "shop::OutOfStock", "no stock"),
        (OF_A_SHELL, "shop::OutOfStock", "no stock\nof this"),
        (ASSERTED, "Assertion failed", "stock > 0"),
        (MACOS, "Assertion failed", "stock > 0"),
        (
            UNDEFINED,
            "UndefinedBehaviorSanitizer: signed integer overflow",
            "signed integer overflow: 2147483647 + 1",
        ),
        (HEAP, "free(): double free detected in tcache", "free(): double free detected in tcache 2"),
        (SMASHED, "stack smashing detected", "stack smashing detected"),
        (RACE, "ThreadSanitizer: data race", "data race"),
        (VALGRIND, "valgrind: Invalid read of size", "Invalid read of size 4"),
    ],
)
def test_type_and_message_are_read(report, name, message):
    (found,) = find(CppErrors(), text=report)

    assert found.event.type == name
    assert message in found.event.message


def test_only_the_stack_of_the_fault_is_told_and_run_times_are_not_own_code():
    (found,) = find(CppErrors(), text=ASAN)

    assert [(frame.function, frame.line, frame.in_app) for frame in found.event.frames] == [
        ("__libc_start_main", 0, False),
        ("main", 12, True),
        ("__asan_memcpy", 0, False),
        ("Basket::total", 31, True),
    ]


def test_own_code_can_be_named_and_excluded():
    config = CppConfig(in_app=["__asan_memcpy"], not_in_app=["main.cc"])

    (found,) = find(CppErrors(config), text=ASAN)

    assert [frame.function for frame in found.event.frames if frame.in_app] == [
        "__asan_memcpy",
        "Basket::total",
    ]


def test_the_thread_is_told():
    (found,) = find(CppErrors(), text=ASAN)

    assert found.event.attributes["thread"] == "T3"


def test_an_assertion_names_its_place_and_its_function():
    for report in (ASSERTED, MACOS):
        (found,) = find(CppErrors(), text=report)

        assert [(frame.file, frame.line, frame.function) for frame in found.event.frames] == [
            ("shop.c", 3, "sell")
        ]


@pytest.mark.parametrize("before", ["", "2026-11-23T01:00:00.0001370Z "])
def test_the_signal_that_an_assertion_ends_in_is_no_event_of_its_own(before):
    (found,) = find(
        CppErrors(), text=f"{before}{ASSERTED}{before}Aborted (core dumped)\n{before}all is well\n"
    )

    assert (found.event.type, found.end) == ("Assertion failed", 2)


def test_crashes_are_critical_and_a_leak_is_an_error():
    leak = (
        "==4711==ERROR: LeakSanitizer: detected memory leaks\n\n"
        "Direct leak of 4 byte(s) in 1 object(s) allocated from:\n"
        "    #0 0x55d0 in malloc (/srv/shop+0xdd)\n    #1 0x55d1 in sell /srv/shop/shop.c:3:5\n\n"
        "SUMMARY: AddressSanitizer: 4 byte(s) leaked in 1 allocation(s).\n"
    )

    (lost,), (crash,) = find(CppErrors(), text=leak), find(CppErrors(), text=ASAN)

    assert (lost.event.severity, crash.event.severity) == ("error", "critical")
    assert [frame.function for frame in lost.event.frames if frame.in_app] == ["sell"]


def test_the_logging_line_that_introduced_a_crash_is_joined():
    line = "2026-01-02 03:04:05 ERROR worker 3 died\n"

    (found,) = find(CppErrors(), text=f"2026-01-02 03:04:05 INFO started\n{line}{THROWN}")

    assert (found.headline, found.start) == (line.strip(), 1)


def test_two_processes_that_write_between_each_other_are_two_events():
    text = "".join(f"[p1] {one}\n[p2] {one}\n" for one in UNDEFINED.splitlines())

    found = find(CppErrors(), text=text)

    assert [(one.event.type, len(one.event.frames)) for one in found] == [
        ("UndefinedBehaviorSanitizer: signed integer overflow", 2)
    ] * 2


def test_a_record_with_the_report_in_a_field_is_one_event():
    record = {"level": "error", "message": "worker died", "stderr": THROWN.rstrip()}

    (found,) = find(CppErrors(), text=json.dumps(record) + "\n")

    assert (found.event.type, found.event.message, found.headline) == (
        "shop::OutOfStock",
        "no stock",
        "worker died",
    )


def test_a_report_that_was_cut_off_is_an_event_still():
    (found,) = find(CppErrors(), text="".join(ASAN.splitlines(keepends=True)[:4]))

    assert (found.event.type, len(found.event.frames)) == ("AddressSanitizer: heap-use-after-free", 1)


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "no exception was raised",
        "[  PASSED  ] 12 tests.",
        "assertion count: 3, failed: 0",
        "main.cc:3:5: warning: unused variable 'x'",
        "received signal strength -70 dBm",
        "AddressSanitizer is enabled",
        "core dumped files are kept for 3 days",
    ],
)
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(CppErrors(), text=f"start\n{line}\nend\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(CppErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    detector = CppErrors()
    grammar = Grammar([detector])
    for report in [*REPORTS.values()] * 20:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(detector, grammar=grammar, text="".join(lines)[: chance.randrange(len(report))])


test_contract = contract(CppErrors, good=[ASAN, THROWN, ASSERTED], bad=["started, 0 errors found\n"])
