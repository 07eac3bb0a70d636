"""Java, Kotlin and Scala traces, as they stand in logs."""

import random
import time

import pytest
from aiops_detector_java import JavaErrors

from aiops_core import More, RaisedException, Span
from aiops_core.testing import contract
from aiops_core.text.lines import window

CHAIN = """\
Exception in thread "worker-1" java.lang.RuntimeException: outer
\tat com.acme.shop.Cart.total(Cart.java:41)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.lang.IllegalArgumentException: bad arg: two
lines of message
\tat com.acme.shop.Money.parse(Money.kt:7)
\t... 1 more
Caused by: java.lang.NullPointerException
\t... 2 common frames omitted
"""
ORPHANS = "\tat com.acme.A.a(A.java:1)\n\tat com.acme.B.b(B.java:2)\n"


def links(exceptions):
    return [(raised.type.rpartition(".")[2], raised.link, raised.parent) for raised in exceptions]


def test_a_chain_of_causes_is_one_event(only):
    event = only(CHAIN)

    assert event.type == "java.lang.RuntimeException"
    assert event.message == "outer"
    assert event.severity == "error"
    assert event.language == "java"
    assert event.attributes == {"thread": "worker-1"}
    assert links(event.exceptions) == [
        ("RuntimeException", "raised", -1),
        ("IllegalArgumentException", "cause", 0),
        ("NullPointerException", "cause", 1),
    ]
    assert event.exceptions[1].message == "bad arg: two\nlines of message"


def test_a_cause_is_a_class_whatever_its_name(only):
    event = only(
        "java.lang.Error: outer\n\tat com.acme.A.a(A.java:1)\nCaused by: Shop$1Odd: no stock\n\t... 1 more\n"
    )

    assert (event.exceptions[1].type, event.exceptions[1].message) == ("Shop$1Odd", "no stock")


def test_frames_run_from_the_outermost_call_to_the_raise(only):
    outermost, raising = only(CHAIN).frames

    assert (outermost.module, outermost.function, outermost.in_app) == ("java.lang.Thread", "run", False)
    assert (raising.module, raising.function, raising.in_app) == ("com.acme.shop.Cart", "total", True)
    assert (raising.file, raising.line) == ("Cart.java", 41)


@pytest.mark.parametrize(
    ("line", "module", "function", "file", "number"),
    [
        (
            "\tat java.base/java.util.Objects.hash(Objects.java:1)",
            "java.util.Objects",
            "hash",
            "Objects.java",
            1,
        ),
        ("\tat app//com.acme.A.b(A.java:2)", "com.acme.A", "b", "A.java", 2),
        ("\tat com.acme.A.b(A.java:3) ~[shop.jar:1.2]", "com.acme.A", "b", "A.java", 3),
        ("\tat com.acme.A.b(A.java:3) [classes/:na]", "com.acme.A", "b", "A.java", 3),
        ("\tat sun.misc.Unsafe.park(Native Method)", "sun.misc.Unsafe", "park", "", 0),
        ("\tat jdk.proxy2.$Proxy9.call(Unknown Source)", "jdk.proxy2.$Proxy9", "call", "", 0),
        ("    at com.acme.A.b(SourceFile:12)", "com.acme.A", "b", "SourceFile", 12),
        (
            "  at com.acme.A$$Lambda$14/0x00000008.run(Unknown Source)",
            "com.acme.A$$Lambda",
            "run",
            "",
            0,
        ),
        ("\tat com.acme.A.$anonfun$main$1(A.scala:9)", "com.acme.A", "$anonfun$main$1", "A.scala", 9),
        (
            "\tat com.acme.ATest.adds two numbers(ATest.kt:5)",
            "com.acme.ATest",
            "adds two numbers",
            "ATest.kt",
            5,
        ),
        ("at com.acme.A.b(A.java:2)", "com.acme.A", "b", "A.java", 2),
    ],
)
def test_every_form_of_a_frame_is_read(only, line, module, function, file, number):
    event = only(f"com.acme.Broken: x\n\tat com.acme.Main.main(Main.java:1)\n{line}\n")

    frame = event.frames[0]
    assert (frame.module, frame.function, frame.file, frame.line) == (module, function, file, number)


def test_classes_made_at_run_time_are_not_own_code(only):
    event = only(
        "com.acme.Broken: x\n"
        "\tat com.acme.A$$EnhancerBySpringCGLIB$$1f0c5d2e.run(<generated>)\n"
        "\tat com.acme.A.run(A.java:3)\n"
    )

    own, generated = event.frames
    assert (own.module, own.in_app) == ("com.acme.A", True)
    assert (generated.module, generated.in_app) == ("com.acme.A$$EnhancerBySpringCGLIB", False)


def test_an_exception_without_a_message_is_found(only):
    event = only("java.lang.NullPointerException\n\tat com.acme.A.b(A.java:2)\n")

    assert (event.type, event.message) == ("java.lang.NullPointerException", "")


def test_suppressed_exceptions_hang_where_their_tabs_say(only):
    event = only(
        "java.lang.RuntimeException: body\n"
        "\tat T.main(T.java:7)\n"
        "\tSuppressed: java.lang.IllegalStateException: close b\n"
        "\t\tat T$R.close(T.java:4)\n"
        "\t\t... 1 more\n"
        "\tCaused by: java.io.IOException: inner\n"
        "\t\t... 2 more\n"
        "\tSuppressed: java.lang.IllegalStateException: close a\n"
        "\t\t... 1 more\n"
        "Caused by: java.lang.Error: why\n"
        "\t... 1 more\n"
    )

    assert links(event.exceptions) == [
        ("RuntimeException", "raised", -1),
        ("IllegalStateException", "suppressed", 0),
        ("IOException", "cause", 1),
        ("IllegalStateException", "suppressed", 0),
        ("Error", "cause", 0),
    ]


def test_a_circular_reference_ends_the_chain(only):
    event = only(
        "java.lang.Exception: x\n\tat T.main(T.java:9)\n"
        "Caused by: java.lang.Exception: y\n\t... 1 more\n"
        "Caused by: [CIRCULAR REFERENCE: java.lang.Exception: x]\n"
    )

    assert event.exceptions[2] == RaisedException("java.lang.Exception", "x", (), "cause", 1)


@pytest.mark.parametrize("mark", ["Wrapped by: ", "Caused: "])
def test_a_trace_that_prints_the_root_first_is_turned_round(only, mark):
    event = only(
        "java.io.IOException: root\n\tat com.acme.A.a(A.java:1)\n"
        f"{mark}java.lang.IllegalStateException: middle\n\tat com.acme.B.b(B.java:2)\n"
        f"{mark}java.lang.RuntimeException: surfaced\n\tat com.acme.C.c(C.java:3)\n"
    )

    assert event.message == "surfaced"
    assert links(event.exceptions) == [
        ("RuntimeException", "raised", -1),
        ("IllegalStateException", "cause", 0),
        ("IOException", "cause", 1),
    ]


@pytest.mark.parametrize("before", ["", "2026-01-01T10:00:00Z svc-pay ", "2026-01-01 10:00:00 ERROR [pay] "])
def test_a_nested_exception_in_the_message_stays_in_the_message(only, before):
    event = only(
        f"{before}java.lang.RuntimeException: mail.SendFailedException: Invalid;\n"
        "  nested exception is:\n"
        "com.sun.mail.AddressFailedException: 550 denied\n"
        "\n"
        "\tat com.acme.Mail.send(Mail.java:2)\n"
    )

    assert event.type == "java.lang.RuntimeException"
    assert event.message.endswith("com.sun.mail.AddressFailedException: 550 denied")


def test_a_logging_line_that_names_the_exception_is_its_head(find):
    found = find(
        "2026-01-01 10:00:00 INFO c.a.Foo - fine\n"
        "2026-01-01 10:00:01 ERROR c.a.Foo - failed java.lang.IllegalStateException: x\n"
        "\tat com.acme.A.a(A.java:1)\n"
        "2026-01-01 10:00:02 INFO c.a.Foo - fine again\n"
    )

    assert [(one.start, one.end) for one in found] == [(1, 3)]
    assert (found[0].event.type, found[0].event.message) == ("java.lang.IllegalStateException", "x")


def test_the_name_of_a_logger_is_no_exception(only):
    event = only(
        "Jul 09, 2026 3:23:29 PM com.acme.feeder.MakeLog: RuntimeException: Run\n"
        "  at com.acme.Object.do$a1(MakeLog.java:50)\n"
    )

    assert (event.type, event.message) == ("RuntimeException", "Run")


def test_a_message_of_several_lines_stops_at_the_next_log_record(find):
    found = find(
        "java.lang.IllegalStateException: logged without frames\n"
        "2026-01-01 10:00:01 INFO c.a.Foo - something else\n" + ORPHANS
    )

    assert found == []


def test_every_line_may_carry_the_prefix_of_the_first(find):
    prefix = "2026-01-01T00:00:00Z svc-api "
    text = "".join(prefix + line for line in CHAIN.splitlines(keepends=True))

    (one,) = find(f"{prefix}before\n{text}{prefix}after\n")

    assert (one.start, one.end) == (1, 10)
    assert [len(raised.frames) for raised in one.event.exceptions] == [2, 1, 0]


def test_two_traces_in_a_row_are_two_events(find):
    text = "java.lang.NullPointerException\n\tat com.acme.A.b(A.java:2)\n"

    assert [(one.start, one.end) for one in find(text * 3)] == [(0, 2), (2, 4), (4, 6)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01 INFO c.a.Foo - caught java.lang.IllegalStateException: x, retrying\n",
        "java.lang.IllegalStateException: x\nnext line\n",
        "Error: 0 errors found\nno Exception\n",
        "Caused by: network timeout\n",
        "Caused by: java.io.IOException: Stream closed\n",
        ORPHANS,
        "Exceptions should be handled properly\n",
        '"main" #1 prio=5\n   java.lang.Thread.State: RUNNABLE\n' + ORPHANS,
        "   at System.Foo.Bar(String s) in C:\\x.cs:line 12\n",
        "TypeError: x\n    at f (/srv/a.js:1:2)\n",
        "log: the class com.acme.A at com.acme.B(B.java:1) is old\n",
    ],
)
def test_what_is_no_trace_is_no_event(find, text):
    assert find(text) == []


@pytest.mark.parametrize(
    "line",
    [
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
        "java.lang.OutOfMemoryError: Java heap space",
        "Terminating due to java.lang.OutOfMemoryError: Java heap space",
    ],
)
def test_an_unmistakable_head_needs_no_frames(only, line):
    event = only(f"{line}\n")

    assert (event.type, event.severity) == ("java.lang.OutOfMemoryError", "critical")


def test_the_note_of_a_heap_dump_joins_its_trace(only):
    event = only(
        "java.lang.OutOfMemoryError: Java heap space\n"
        "Dumping heap to /tmp/h.hprof ...\n"
        "Heap dump file created [28357525 bytes in 0.090 secs]\n"
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n'
        "\tat com.acme.A.b(A.java:2)\n"
    )

    assert event.attributes == {"thread": "main"}
    assert len(event.frames) == 1


def test_an_exception_of_the_exception_handler_is_found(only):
    line = 'Exception: java.lang.IllegalStateException thrown from the UncaughtExceptionHandler in thread "main"\n'

    assert only(line).type == "java.lang.IllegalStateException"


def test_the_lead_in_of_android_belongs_to_the_event(only):
    event = only(
        "FATAL EXCEPTION: main\nProcess: com.acme.app, PID: 4711\n"
        "java.lang.IllegalStateException: gone\n\tat com.acme.app.Main.onCreate(Main.kt:5)\n"
    )

    assert (event.type, event.message) == ("java.lang.IllegalStateException", "gone")


def test_a_stack_overflow_keeps_both_ends_of_its_frames(only):
    frames = "".join(f"\tat com.acme.A.f{number}(A.java:3)\n" for number in range(1024))

    event = only(f"java.lang.StackOverflowError\n{frames}")

    assert event.severity == "critical"
    assert (len(event.frames), event.frames[0].function, event.frames[-1].function) == (200, "f1023", "f0")


def test_a_thread_dump_is_one_event_and_no_error(only):
    thread = '"main" #1 prio=5\n   java.lang.Thread.State: RUNNABLE\n' + ORPHANS + "\n"

    event = only(f"Full thread dump OpenJDK (17):\n\n{thread * 20}JNI global refs: 4\n")

    assert (event.type, event.severity) == ("thread dump", "info")


def test_a_deadlock_in_a_thread_dump_is_an_error(only):
    event = only('Full thread dump OpenJDK (17):\n\nFound one Java-level deadlock:\n=====\n"a":\n')

    assert (event.type, event.severity) == ("deadlock", "error")


def test_settings_say_what_is_own_code(find_with):
    find = find_with(in_app=["org.apache.acme."], not_in_app=["com.acme.generated."])

    (one,) = find(
        "java.lang.Error: x\n"
        "\tat org.apache.acme.A.a(A.java:1)\n"
        "\tat org.apache.other.A.a(A.java:1)\n"
        "\tat com.acme.generated.A.a(A.java:1)\n"
        "\tat com.acme.A.a(A.java:1)\n"
    )

    assert [frame.in_app for frame in reversed(one.event.frames)] == [True, False, False, True]


def test_a_trace_is_open_until_a_line_follows_that_is_none_of_it():
    detector = JavaErrors()
    trace = "java.lang.Error: x\n\tat com.acme.A.a(A.java:1)\n"

    assert detector.cut(window(trace, final=False), 1) == More(0)
    assert detector.cut(window(trace), 1) == Span(0, 2)
    assert detector.cut(window(f"{trace}next\n", final=False), 1) == Span(0, 2)
    assert detector.cut(window(f"{trace}Caused by: java.lang.Error: y\n", final=False), 1) == More(0)


@pytest.mark.parametrize(
    "line",
    [
        "at at at ",
        "Caused by: java.io.IOException: x\n",
        "\tat com.acme.A.a(A.java:1)\n",
        "java.lang.Error: " + "x.y " * 2000 + "\n\tat com.acme.A.a(A.java:1)\n",
        "\tat " + "a." * 3000 + "b(C.java:1)\n",
        "a.BException: x:\n",
    ],
)
def test_hostile_input_takes_linear_time(find, line):
    started = time.process_time()

    find(line * (1_000_000 // len(line)) + "\n")

    assert time.process_time() - started < 10


def test_a_garbled_trace_breaks_nothing(find):
    chance = random.Random(7)
    for _ in range(150):
        text = list(CHAIN)
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(text))
            text[at] = chance.choice(["", "\n", " ", "(", ")", ":", "\t", "9", "{", "}", text[at] * 2])

        for one in find("".join(text)):
            assert one.event.type
            assert one.start < one.end
            assert all(raised.parent < index for index, raised in enumerate(one.event.exceptions))


test_contract = contract(JavaErrors, good=[CHAIN], bad=["started, 0 errors found\n"])
