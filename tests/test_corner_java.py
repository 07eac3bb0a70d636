"""Corner cases 76 to 80: what Java prints when something fails."""

import pytest
from corner_scene import PLAIN, chain, find, only, places


@pytest.mark.parametrize("head", ["", 'Exception in thread "main" '])
def test_case_76_a_java_exception_without_a_message_is_one_event(head):
    event = only(
        f"""\
{head}java.lang.NullPointerException
\tat com.acme.shop.Pay.charge(Pay.java:7)
\tat com.acme.shop.Main.main(Main.java:9)
"""
    )

    assert (event.type, event.message) == ("java.lang.NullPointerException", "")
    assert places(event) == [[("main", 9), ("charge", 7)]]


def test_case_77_a_java_trace_with_everything_in_it_is_one_event():
    event = only(
        """\
java.lang.IllegalStateException: cannot close the day:
  drawer 1 is open

  drawer 2 is open
\tat com.acme.shop.Day.close(Day.java:41)
\tat com.acme.shop.Main.main(Main.java:9)
\tSuppressed: java.io.IOException: printer is gone
\t\tat com.acme.shop.Printer.close(Printer.java:12)
\t\tat com.acme.shop.Day.close(Day.java:44)
\t\t... 1 more
\t\tSuppressed: java.lang.RuntimeException: paper is out
\t\t\tat com.acme.shop.Paper.close(Paper.java:3)
\t\t\t... 3 more
\tCaused by: java.net.SocketException: Broken pipe
\t\tat com.acme.shop.Wire.write(Wire.java:88)
\t\t... 2 more
Caused by: com.acme.shop.DrawerException: drawer is stuck
\tat com.acme.shop.Drawer.shut(Drawer.java:23)
\tat com.acme.shop.Day.close(Day.java:38)
\t... 1 more
Caused by: [CIRCULAR REFERENCE: java.lang.IllegalStateException: cannot close the day]
"""
    )

    assert event.message == "cannot close the day:\n  drawer 1 is open\n\n  drawer 2 is open"
    found = chain(event)
    assert {(link, parent, kind) for link, parent, kind, _ in found} >= {
        ("raised", -1, "java.lang.IllegalStateException"),
        ("suppressed", 0, "java.io.IOException"),
        ("cause", 0, "com.acme.shop.DrawerException"),
    }
    kinds = [kind for _, _, kind, _ in found]
    printer = kinds.index("java.io.IOException")
    assert found[kinds.index("java.lang.RuntimeException")][:2] == ("suppressed", printer)
    assert found[kinds.index("java.net.SocketException")][:2] == ("cause", printer)
    assert places(event)[0] == [("main", 9), ("close", 41)]


def test_case_78_a_java_stack_overflow_is_one_event():
    frames = "\tat com.acme.shop.Tree.depth(Tree.java:6)\n" * 1023
    text = f"java.lang.StackOverflowError\n\tat com.acme.shop.Tree.leaf(Tree.java:3)\n{frames}"

    event = only(text)

    assert event.type == "java.lang.StackOverflowError"
    assert (event.frames[-1].function, event.frames[0].function) == ("leaf", "depth")
    shallow = only(text[: text.index("\n", 200) + 1])
    assert event.fingerprint == shallow.fingerprint


def thread_dump(threads):
    """Return what a Java virtual machine prints on SIGQUIT, ten lines a thread."""
    body = "".join(
        f'"worker-{number}" #{number} prio=5 os_prio=0 cpu=1.50ms elapsed=9.00s tid=0x00007f0a{number:08x} '
        f"nid=0x{number:x} waiting on condition  [0x00007f0b{number:08x}]\n"
        "   java.lang.Thread.State: TIMED_WAITING (sleeping)\n"
        "\tat java.lang.Thread.sleep(java.base@17.0.9/Native Method)\n"
        + "".join(f"\tat com.acme.shop.Worker.step{step}(Worker.java:{step})\n" for step in range(6))
        + "\n"
        for number in range(1, threads + 1)
    )
    head = (
        "2026-11-21 07:00:00\nFull thread dump OpenJDK 64-Bit Server VM (17.0.9+9 mixed mode, sharing):\n\n"
    )
    return head + body


def test_case_78_a_java_trace_of_twenty_thousand_lines_is_one_capped_event():
    frames = "".join(f"\tat com.acme.shop.Chain.step{step}(Chain.java:{step})\n" for step in range(1, 20_000))
    text = f"java.lang.IllegalStateException: too deep\n{frames}"

    (event,) = find(text + PLAIN)

    assert (event.start, event.truncated) == (0, True)
    assert event.block == text[: len(event.block)]
    assert event.block.count("\n") <= 5_000
    assert event.frames[-1].function == "step1"


def test_case_78_a_java_thread_dump_is_no_more_than_one_event():
    events = find(PLAIN + thread_dump(2_000) + PLAIN)

    assert len(events) <= 1


def test_case_79_a_log4j_error_with_a_trace_is_one_event_and_the_next_line_is_none():
    error = "2026-11-21 07:00:00,000 ERROR [main] com.acme.shop.Pay - order 7 lost\n"
    trace = """\
java.lang.IllegalStateException: no card
\tat com.acme.shop.Pay.charge(Pay.java:7)
\tat com.acme.shop.Main.main(Main.java:9)
"""
    info = "2026-11-21 07:00:00,001 INFO  [main] com.acme.shop.Pay - next order\n"

    (event,) = find(info + error + trace + info)

    assert (event.type, event.severity) == ("java.lang.IllegalStateException", "error")
    assert (event.block, event.headline) == (error + trace, error.rstrip("\n"))
    assert event.context_after == (info.rstrip("\n"),)


@pytest.mark.parametrize(
    "line",
    [
        "Error: 0 errors found",
        "0 errors, 0 warnings",
        "build finished: no Exception was thrown",
        "2026-11-21 07:00:00,000 INFO [main] com.acme.shop.ErrorHandler - registered for java.io.IOException",
        "2026-11-21 07:00:00,000 INFO  o.a.c.ExceptionMapper: mapping com.acme.NoCardException to 402",
        "INFO loading class com.acme.shop.errors.CardRefusedException: done",
        "DEBUG retry policy: NullPointerException, IllegalStateException",
    ],
)
def test_case_80_words_of_errors_are_no_errors(line):
    assert find(f"{PLAIN}{line}\n{PLAIN}") == []
