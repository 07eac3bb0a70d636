"""Panics, fatal errors, dumps and data races of Go programs, as they stand in logs."""

import random
import time

import pytest
from aiops_detector_go import GoErrors

from aiops_core import More, Span
from aiops_core.testing import contract
from aiops_core.text.lines import window

STACK = """\
goroutine 7 [running]:
panic({0x4a1e00?, 0x5c2a10?})
\t/usr/local/go/src/runtime/panic.go:884 +0x213
acme.example/shop/cart.(*Cart).Total(0xc000012345, {0xc0000, 0x5})
\t/srv/shop/cart/cart.go:33 +0x1f
github.com/pkg/money%2ev2.Parse(...)
\t/root/go/pkg/mod/github.com/pkg/money.v2@v2.1.0/parse.go:9
main.main.func1()
\t/srv/shop/main.go:16 +0x3b
created by main.main in goroutine 1
\t/srv/shop/main.go:20 +0x91
"""
OTHER = "goroutine 1 [chan receive, 2 minutes]:\nmain.main()\n\t/srv/shop/main.go:30 +0x6f\n"
PANIC = f"panic: no stock\n\n{STACK}\n{OTHER}exit status 2\n"


def links(exceptions):
    return [(raised.type, raised.message, raised.link, raised.parent) for raised in exceptions]


def test_all_goroutines_and_the_exit_status_belong_to_a_panic(only):
    event = only(PANIC)

    assert (event.type, event.message) == ("panic", "no stock")
    assert event.severity == "error"
    assert event.language == "go"
    assert event.attributes == {"goroutine": "7"}


def test_frames_run_from_the_outermost_call_to_the_panic(only):
    frames = only(PANIC).frames

    assert [(frame.module, frame.function, frame.line) for frame in frames] == [
        ("main", "main", 20),
        ("main", "main.func1", 16),
        ("github.com/pkg/money.v2", "Parse", 9),
        ("acme.example/shop/cart", "(*Cart).Total", 33),
    ]
    assert frames[-1].file == "/srv/shop/cart/cart.go"
    assert [frame.in_app for frame in frames] == [True, True, False, True]


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("runtime error: index out of range [5] with length 3", "runtime error: index out of range"),
        (
            "runtime error: slice bounds out of range [:5] with capacity 3",
            "runtime error: slice bounds out of range",
        ),
        ("runtime error: makeslice: len out of range", "runtime error: makeslice: len out of range"),
        ("runtime error: integer divide by zero", "runtime error: integer divide by zero"),
        ("interface conversion: interface {} is string, not int", "panic"),
    ],
)
def test_the_type_of_a_runtime_error_has_no_numbers(only, message, name):
    event = only(f"panic: {message}\n\n{STACK}")

    assert (event.type, event.message) == (name, message)


def test_a_signal_note_is_no_message(only):
    event = only(
        "panic: runtime error: invalid memory address or nil pointer dereference\n"
        f"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x7fd34f]\n\n{STACK}"
    )

    assert event.message == "runtime error: invalid memory address or nil pointer dereference"


def test_a_panic_while_a_panic_is_handled_keeps_both(only):
    again = STACK.replace(
        "goroutine 7 [running]:\n",
        "goroutine 7 [running]:\npanic({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:1 +0x1\nmain.cleanup()\n\t/srv/shop/main.go:50 +0x1\n",
    )

    event = only(f"panic: first [recovered]\n\tpanic: second\n\n{again}exit status 2\n")

    assert links(event.exceptions) == [("panic", "second", "raised", -1), ("panic", "first", "context", 0)]
    assert event.exceptions[0].frames[-1].function == "cleanup"
    assert event.exceptions[1].frames[-1].function == "(*Cart).Total"


def test_a_message_of_several_lines_is_kept(only):
    assert only(f"panic: first line\nsecond line\n\n{STACK}").message == "first line\nsecond line"


def test_a_panic_needs_no_stack(only):
    event = only("panic: something went wrong\n")

    assert (event.type, event.frames) == ("panic", ())


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("all goroutines are asleep - deadlock!", "fatal error: all goroutines are asleep - deadlock"),
        ("concurrent map writes", "fatal error: concurrent map writes"),
        ("out of memory", "fatal error: out of memory"),
    ],
)
def test_a_fatal_error_is_critical(only, message, name):
    event = only(f"fatal error: {message}\n\n{OTHER}exit status 2\n")

    assert (event.type, event.message, event.severity) == (name, message, "critical")
    assert [frame.function for frame in event.frames] == ["main"]


def test_what_the_runtime_says_before_a_fatal_error_belongs_to_it(only):
    event = only(
        "runtime: goroutine stack exceeds 1000000000-byte limit\n"
        "runtime: sp=0xc0200e0390 stack=[0xc0200e0000, 0xc0400e0000]\n"
        "fatal error: stack overflow\n\n"
        "runtime stack:\nruntime.throw({0x46e0f1?, 0x0?})\n\t/usr/local/go/src/runtime/panic.go:1047 +0x5d\n\n"
        f"{STACK}...additional frames elided...\n"
    )

    assert event.type == "fatal error: stack overflow"
    assert event.attributes == {"goroutine": "7"}


def test_a_panic_of_a_handler_is_found(only):
    event = only(f"2026/01/15 07:48:05 http: panic serving [::1]:54143: no stock\n{STACK}")

    assert (event.type, event.message) == ("panic", "no stock")
    assert event.frames[-1].function == "(*Cart).Total"


@pytest.mark.parametrize(
    ("head", "name", "message"),
    [
        ("2026-01-01T10:00:00Z ERROR recovered from panic: no stock\n", "panic", "no stock"),
        ("unknown error: no stock\n\n", "error", "unknown error: no stock"),
        ("", "goroutine dump", "goroutine 7 [running]:"),
    ],
)
def test_a_stack_that_a_program_logged_itself_is_found(only, head, name, message):
    event = only(head + STACK)

    assert (event.type, event.message) == (name, message)


def test_a_stack_on_the_line_of_its_message_is_found(only):
    event = only(f"[PANIC RECOVER] runtime error: integer divide by zero {STACK}")

    assert event.type == "runtime error: integer divide by zero"
    assert len(event.frames) == 4


def test_a_dump_on_request_is_found(only):
    event = only(f"SIGQUIT: quit\nPC=0x43f349 m=0 sigcode=0\n\n{OTHER}\n{STACK}\nrax    0xca\nrbx    0x0\n")

    assert (event.type, event.message) == ("SIGQUIT", "quit")


def test_each_data_race_is_an_event_with_both_accesses(find):
    race = (
        "==================\n"
        "WARNING: DATA RACE\n"
        "Read at 0x00c420e3a1b8 by goroutine 185:\n"
        "  acme.example/shop.(*Cart).Next()\n      /srv/shop/cart.go:150 +0x4c\n\n"
        "Previous write at 0x00c420e3a1b8 by main goroutine:\n"
        "  main.main()\n      /srv/shop/main.go:160 +0x50\n\n"
        "Goroutine 185 (running) created at:\n"
        "  main.main()\n      /srv/shop/main.go:20 +0x50\n"
        "==================\n"
    )

    first, second = find(race * 2 + "Found 2 data race(s)\n")

    assert [(one.start, one.end) for one in (first, second)] == [(0, 14), (14, 28)]
    assert links(first.event.exceptions) == [
        ("DATA RACE", "Read at 0x00c420e3a1b8 by goroutine 185", "raised", -1),
        ("DATA RACE", "Previous write at 0x00c420e3a1b8 by main goroutine", "context", 0),
    ]
    assert [frame.line for raised in first.event.exceptions for frame in raised.frames] == [150, 160]


def test_an_unfinished_dump_ends_at_the_next_log_line(find):
    found = find(f"panic: x\n\n{STACK}2026/01/15 07:48:05 next line\n")

    assert [(one.start, one.end) for one in found] == [(0, 13)]


def test_every_line_may_carry_the_prefix_of_the_first(find):
    prefix = "2026-01-01T00:00:00Z svc-api "
    text = "".join(prefix + line for line in PANIC.splitlines(keepends=True))

    (one,) = find(f"{prefix}before\n{text}{prefix}after\n")

    assert (one.start, one.end) == (1, 1 + PANIC.count("\n"))
    assert len(one.event.frames) == 4


def test_two_panics_in_a_row_are_two_events(find):
    text = f"panic: x\n\n{STACK}"

    assert [(one.start, one.end) for one in find(text * 2)] == [(0, 13), (13, 26)]


@pytest.mark.parametrize(
    "text",
    [
        "goroutine 5 started processing batch\n",
        "goroutine 1 [running]:\nnext line\n",
        "panic!\npanicking is bad practice\n",
        "the service must not panic: it retries\n",
        "Kernel panic - not syncing\n",
        "panic: page fault\ncpuid = 0\ntime = 1\n",
        "foo.c:1:10: fatal error: stdio.h: No such file\n",
        "fatal error: too few arguments\n",
        "SIGTERM: draining\n",
        "goroutines are lightweight threads\n",
    ],
)
def test_what_is_no_crash_is_no_event(find, text):
    assert find(text) == []


ZAP = """\
main.handler
\t/srv/app/main.go:10
sigs.k8s.io/runtime/internal.(*Controller[...]).reconcile
\t/go/pkg/mod/sigs.k8s.io/runtime@v0.17.0/internal/controller.go:329
"""


def test_a_stack_that_zap_prints_belongs_to_the_line_it_logged(find):
    head = "2026-01-01T10:00:00.123Z\tERROR\tapp/main.go:10\trequest failed\n"

    (one,) = find(f"{head}{ZAP}2026-01-01T10:00:01Z\tINFO\tgo on\n")

    assert (one.event.type, one.event.message, one.start) == ("error", "request failed", 0)
    assert [(frame.function, frame.line, frame.in_app) for frame in one.event.frames] == [
        ("(*Controller[...]).reconcile", 329, False),
        ("handler", 10, True),
    ]


def test_errors_that_wrap_each_other_are_printed_from_the_innermost_on(only):
    event = only(
        "2026/01/01 10:00:00 no such file\nmain.load\n\t/srv/main.go:9\nmain.main\n\t/srv/main.go:3\n"
        "cannot load\nmain.main\n\t/srv/main.go:3\n"
    )

    assert links(event.exceptions) == [
        ("error", "cannot load", "raised", -1),
        ("error", "no such file", "cause", 0),
    ]
    assert [frame.function for frame in event.exceptions[1].frames] == ["main", "load"]


@pytest.mark.parametrize("text", ["\t/srv/app/main.go:10\n", "see also:\n\t/srv/app/main.go:10\n"])
def test_a_file_that_no_call_stands_above_is_no_stack(find, text):
    assert find(text) == []


def test_settings_say_what_is_own_code(find_with):
    find = find_with(in_app=["github.com/pkg/"], not_in_app=["acme.example/shop/"])

    (one,) = find(PANIC)

    assert [frame.in_app for frame in one.event.frames] == [True, True, True, False]


def test_a_panic_is_open_until_a_line_follows_that_is_none_of_it():
    detector = GoErrors()
    panic = f"panic: x\n\n{STACK}"

    assert detector.cut(window("panic: x\n", final=False), 0) == More(0)
    assert detector.cut(window(panic, final=False), 0) == More(0)
    assert detector.cut(window(f"{panic}\n", final=False), 0) == More(0)
    assert detector.cut(window(f"{panic}\n{OTHER}next\n", final=False), 0) == Span(0, 17)
    assert detector.cut(window(f"{panic}exit status 2\n", final=False), 0) == Span(0, 14)
    assert detector.cut(window(panic), 0) == Span(0, 13)


@pytest.mark.parametrize(
    "line",
    [
        "panic: x\n",
        "panic: x [recovered]\n\tpanic: y\n",
        "goroutine 1 [running]:\n\n",
        "goroutine 1 [running]:\nmain.f()\n\t/a.go:1\n\n",
        "WARNING: DATA RACE\n",
        "goroutine 1 [",
        "a.b(" * 1000 + ")\n",
        "main.f\n\t/a.go:1\n",
        "message\nmain.f\n\t/a.go:1\n",
    ],
)
def test_hostile_input_takes_linear_time(find, line):
    started = time.process_time()

    find(line * (100_000 // len(line)) + "\n")

    assert time.process_time() - started < 10


def test_a_garbled_trace_breaks_nothing(find):
    chance = random.Random(7)
    for _ in range(150):
        text = list(PANIC)
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(text))
            text[at] = chance.choice(["", "\n", " ", "(", ")", ":", "\t", "9", "{", "}", text[at] * 2])

        for one in find("".join(text)):
            assert one.event.type
            assert one.start < one.end
            assert all(raised.parent < index for index, raised in enumerate(one.event.exceptions))


test_contract = contract(GoErrors, good=[PANIC], bad=["started, 0 errors found\n"])


def test_what_was_logged_above_a_stack_is_its_message_without_time_and_level(find):
    (found,) = find("2026-11-21 07:00:01,000 ERROR sold out\n" + STACK)

    assert found.event.message == "sold out"
