from textwrap import dedent
from time import process_time

import pytest
from aiops_detector_python import PythonConfig, PythonErrors

from aiops_core import Event
from aiops_core.testing import contract
from aiops_core.text.lines import More, window

PLAIN = """\
Traceback (most recent call last):
  File "/srv/app/shop.py", line 12, in <module>
    main()
    ~~~~^^
  File "/srv/app/orders/totals.py", line 40, in total
    return price / count
           ~~~~~~^~~~~~~
ZeroDivisionError: division by zero
"""
CHAIN = """\
Traceback (most recent call last):
  File "/srv/app/a.py", line 2, in a
    1/0
ZeroDivisionError: division by zero

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/b.py", line 5, in b
    raise KeyError("k") from error
KeyError: 'k'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app/c.py", line 8, in c
    raise RuntimeError("outer")
RuntimeError: outer
"""
GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "/srv/app/g.py", line 8, in <module>
  |     f()
  | ExceptionGroup: grp (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/srv/app/g.py", line 1, in a
    |     g()
    | KeyError: 1
    |
    | During handling of the above exception, another exception occurred:
    |
    | Traceback (most recent call last):
    |   File "/srv/app/g.py", line 2, in b
    |     g()
    | ValueError: v1
    | a note
    +---------------- 2 ----------------
    | ExceptionGroup: inner (1 sub-exception)
    +-+---------------- 1 ----------------
      | OSError: nope
      +------------------------------------
"""


def only(found) -> Event:
    assert len(found) == 1, [item.text for item in found]
    return found[0].event


def test_a_traceback_becomes_one_event_with_its_frames(find):
    event = only(find(PythonErrors(), text=f"starting\n{PLAIN}stopped\n"))

    assert (event.type, event.message, event.language) == ("ZeroDivisionError", "division by zero", "python")
    assert [(frame.file, frame.line, frame.function, frame.code) for frame in event.frames] == [
        ("/srv/app/shop.py", 12, "<module>", "main()"),
        ("/srv/app/orders/totals.py", 40, "total", "return price / count"),
    ]
    assert [frame.module for frame in event.frames] == ["shop", "totals"]


def test_the_lines_around_a_traceback_are_not_claimed(find):
    [found] = find(PythonErrors(), text=f"starting\n{PLAIN}stopped\n")

    assert found.text == PLAIN


def test_a_chain_is_one_event_headed_by_what_surfaced(find):
    event = only(find(PythonErrors(), text=CHAIN))

    assert [(raised.type, raised.link, raised.parent) for raised in event.exceptions] == [
        ("RuntimeError", "raised", -1),
        ("KeyError", "context", 0),
        ("ZeroDivisionError", "cause", 1),
    ]
    assert event.message == "outer"


def test_a_group_keeps_its_tree(find):
    [found] = find(PythonErrors(), text=f"{GROUP}next line\n")

    assert found.text == GROUP
    assert [
        (raised.type, raised.message, raised.link, raised.parent) for raised in found.event.exceptions
    ] == [
        ("ExceptionGroup", "grp (2 sub-exceptions)", "raised", -1),
        ("ValueError", "v1\na note", "member", 0),
        ("KeyError", "1", "context", 1),
        ("ExceptionGroup", "inner (1 sub-exception)", "member", 0),
        ("OSError", "nope", "member", 3),
    ]


def test_a_group_can_be_the_cause_of_a_plain_exception(find):
    text = f"{GROUP}\nThe above exception was the direct cause of the following exception:\n\n{PLAIN}"

    [found] = find(PythonErrors(), text=text)

    assert found.text == text
    assert [raised.type for raised in found.event.exceptions][:2] == ["ZeroDivisionError", "ExceptionGroup"]


@pytest.mark.parametrize("prefix", ["2026-01-01T00:00:00.000Z svc-api ", "[p1] ", "app_1  | ", "      "])
def test_every_line_may_carry_a_prefix(find, prefix):
    text = "".join(f"{prefix}{line}\n" for line in CHAIN.splitlines())

    [found] = find(PythonErrors(), text=f"before\n{text}after\n")

    assert found.text == text
    assert [raised.type for raised in found.event.exceptions] == [
        "RuntimeError",
        "KeyError",
        "ZeroDivisionError",
    ]


def test_a_group_may_carry_a_prefix_on_every_line(find):
    text = "".join(f"app_1  | {line}\n" for line in GROUP.splitlines())

    [found] = find(PythonErrors(), text=f"{text}app_1  | next\n")

    assert found.text == text
    assert len(found.event.exceptions) == 5


@pytest.mark.parametrize(
    "lead",
    [
        "Exception in thread W-1:",
        "Exception ignored in: <function A.__del__ at 0x7fec454aa680>",
        "2026-01-01T00:00:00Z svc-api Exception in thread W-1:",
        "Process ForkProcess-1:",
        "Task exception was never retrieved\nfuture: <Task finished name='T1' exception=ValueError('x')>",
        "2026-01-01 10:00:00,000 ERROR asyncio: Task exception was never retrieved\nfuture: <Task finished>",
        "--- Logging error ---",
        "=" * 70 + "\nERROR: test_b (t_ut.T.test_b)\n" + "-" * 70,
        "=" * 70 + "\nERROR: test_b (t_ut.T.test_b)\nTotals are right.\n" + "-" * 70,
    ],
)
def test_what_announces_a_traceback_belongs_to_it(find, lead):
    text = f"{lead}\n{PLAIN}"

    [found] = find(PythonErrors(), text=f"{text}next\n")

    assert found.text == text
    assert found.event.type == "ZeroDivisionError"


def test_the_thread_is_an_attribute(find):
    event = only(
        find(PythonErrors(), text=f"Exception in thread worker 3 (most likely raised at exit):\n{PLAIN}")
    )

    assert event.attributes == {"thread": "worker 3"}


LOGURU = """\
2026-01-01 10:00:00.123 | ERROR    | shop:sell:10 - cannot sell
Traceback (most recent call last):

  File "/srv/app/shop.py", line 8, in <module>
    sell(0)
    └ <function sell at 0x7f0a>

> File "/srv/app/shop.py", line 5, in sell
    return 1 / count
               └ 0

ZeroDivisionError: division by zero
"""


def test_a_traceback_that_loguru_parts_by_blank_lines_is_one_event(find):
    after = "2026-01-01 10:00:01.123 | INFO     | shop:sell:12 - go on\n"

    events = find(PythonErrors(), text=LOGURU + after)

    assert [(one.event.type, one.event.message) for one in events] == [
        ("ZeroDivisionError", "division by zero")
    ]
    assert [frame.line for frame in events[0].event.frames] == [8, 5]
    assert events[0].end == LOGURU.count("\n")


def test_a_traceback_without_its_last_line_is_what_the_logging_line_above_says(find):
    (one,) = find(
        PythonErrors(),
        text="[ERROR] KeyError: 'id'\nTraceback (most recent call last):\n"
        '  File "/var/task/app.py", line 5, in handler\n    event["id"]\n',
    )

    assert (one.event.type, one.event.message, len(one.event.frames)) == ("KeyError", "'id'", 1)


def test_the_logging_line_above_becomes_the_headline(find):
    text = f"2026-11-21 02:28:57,135 ERROR app.db: query failed\n{PLAIN}"

    [found] = find(PythonErrors(), text=f"{text}2026-11-21 02:28:57,141 WARNING app.db: next line\n")

    assert found.text == text
    assert found.block.headline == "2026-11-21 02:28:57,135 ERROR app.db: query failed"


@pytest.mark.parametrize(
    ("headline", "severity"),
    [
        ("2026-11-21 02:28:57,135 WARNING app.db: retrying", "warning"),
        ("2026-11-21 02:28:57,135 CRITICAL app.db: gone", "critical"),
        ("2026-11-21 02:28:57,135 ERROR app.db: gone", "error"),
    ],
)
def test_the_level_of_the_headline_is_the_severity(find, headline, severity):
    assert only(find(PythonErrors(), text=f"{headline}\n{PLAIN}")).severity == severity


@pytest.mark.parametrize(
    ("last", "severity"),
    [
        ("KeyboardInterrupt", "info"),
        ("SystemExit: 2", "info"),
        ("MemoryError", "critical"),
        ("SystemError: <built-in> returned a result with an error set", "critical"),
        ("my.app.Broken: x", "error"),
    ],
)
def test_some_types_have_a_severity_of_their_own(find, last, severity):
    text = f'Traceback (most recent call last):\n  File "/a.py", line 1, in f\n    x()\n{last}\n'

    event = only(find(PythonErrors(), text=text))

    assert event.severity == severity
    assert event.type == last.partition(":")[0]


def test_a_syntax_error_needs_no_header(find):
    text = '  File "/srv/app/t_syn.py", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'

    [found] = find(PythonErrors(), text=f"starting\n{text}stopped\n")

    assert found.text == text
    assert [(frame.file, frame.line) for frame in found.event.frames] == [("/srv/app/t_syn.py", 1)]


def test_a_syntax_error_may_follow_a_prefix_on_its_first_line(find):
    text = (
        '2026-01-01T00:00:00Z api   File "/a.py", line 1\n    def f(:\n          ^\nIndentationError: bad\n'
    )

    [found] = find(PythonErrors(), text=text)

    assert found.text == text
    assert found.event.frames[0].file == "/a.py"


def test_a_syntax_error_in_an_imported_file_belongs_to_its_traceback(find):
    text = (
        'Traceback (most recent call last):\n  File "/main.py", line 1, in <module>\n    import x\n'
        '  File "/x.py", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    )

    [found] = find(PythonErrors(), text=text)

    assert found.text == text
    assert [frame.file for frame in found.event.frames] == ["/main.py", "/x.py"]


def test_a_fatal_error_has_the_frames_of_the_thread_that_failed(find):
    text = (
        "Fatal Python error: Segmentation fault\n\n"
        'Thread 0x00007f7c5c000000 (most recent call first):\n  File "/w.py", line 320 in wait\n\n'
        "Current thread 0x00007f7c5cccfb80 (most recent call first):\n"
        '  File "/srv/app/lib.py", line 12 in crash\n  File "/srv/app/main.py", line 2 in <module>\n\n'
        "Extension modules: numpy.core (total: 1)\n"
        "Segmentation fault (core dumped)\n"
    )

    [found] = find(PythonErrors(), text=f"{text}next\n")

    assert found.text == text
    assert (found.event.type, found.event.message) == ("Fatal Python error", "Segmentation fault")
    assert found.event.severity == "critical"
    assert [frame.function for frame in found.event.frames] == ["<module>", "crash"]


def test_a_watchdog_dump_is_an_event(find):
    text = 'Timeout (0:00:05)!\nThread 0x00007f7c5c000000 (most recent call first):\n  File "/w.py", line 3 in w\n'

    assert only(find(PythonErrors(), text=text)).type == "Timeout"


def test_an_ignored_exception_may_have_no_traceback(find):
    text = (
        "Exception ignored in: <_io.TextIOWrapper name='<stdout>'>\nBrokenPipeError: [Errno 32] Broken pipe\n"
    )

    [found] = find(PythonErrors(), text=text)

    assert found.text == text
    assert (found.event.type, found.event.message) == ("BrokenPipeError", "[Errno 32] Broken pipe")


def test_the_traceback_of_a_worker_process_is_the_cause(find):
    text = (
        f'multiprocessing.pool.RemoteTraceback: \n"""\n{PLAIN}"""\n\n'
        "The above exception was the direct cause of the following exception:\n\n"
        f"{PLAIN}"
    )

    [found] = find(PythonErrors(), text=text)

    assert found.text == text
    assert [(raised.type, raised.link) for raised in found.event.exceptions] == [
        ("ZeroDivisionError", "raised"),
        ("ZeroDivisionError", "cause"),
    ]
    assert found.event.exceptions[1].message == "division by zero"


def test_what_the_logging_module_adds_belongs_to_the_event(find):
    text = (
        f'--- Logging error ---\n{PLAIN}Call stack:\n  File "/t.py", line 3, in <module>\n    log()\n'
        "Message: 'x'\nArguments: (1,)\n"
    )

    [found] = find(PythonErrors(), text=f"{text}other\n")

    assert found.text == text
    assert found.event.message == "division by zero"


@pytest.mark.parametrize(
    "more",
    [
        "second line of message\n\nfourth line\n",
        "\tIs the server running?\n\n[SQL: SELECT 1]\n(Background on this error at: https://e.example/e)\n",
        "1 validation error\nname\n  field required\n",
    ],
)
def test_a_message_goes_on_until_the_next_record(find, more):
    text = f"2026-01-01 10:00:00,000 ERROR app: x\n{PLAIN}{more}"

    [found] = find(PythonErrors(), text=f"{text}2026-01-01 10:00:00,001 INFO app: next\n")

    assert found.text == text
    assert found.event.message == f"division by zero\n{more}".strip()


def test_a_message_without_records_around_it_ends_where_details_end(find):
    text = f"{PLAIN}  detail\n[SQL: SELECT 1]\n"

    [found] = find(PythonErrors(), text=f"{text}Server is listening\n")

    assert found.text == text


def test_a_message_before_a_chained_exception_is_whole(find):
    text = f"{PLAIN}more of it\nand more\n\nDuring handling of the above exception, another exception occurred:\n\n"

    [found] = find(PythonErrors(), text=f"{text}{PLAIN}")

    assert found.text == f"{text}{PLAIN}"
    assert found.event.exceptions[1].message == "division by zero\nmore of it\nand more"


@pytest.mark.parametrize(
    "after", ["", "stopped\nTraceback: none\n", "a\n" * 30, "a\n2026-01-01 10:00:00 INFO b\n"]
)
def test_lines_that_no_chained_exception_follows_are_no_message(find, after):
    [found] = find(PythonErrors(), text=f"{PLAIN}listening\n{after}")

    assert found.text == PLAIN


@pytest.mark.parametrize(
    "death",
    [
        "panic: runtime error: index out of range [5] with length 3",
        'Exception in thread "main" java.lang.IllegalStateException: no',
        "thread 'main' panicked at src/main.rs:2:5:",
        "/srv/app/server.js:12",
        "node:internal/process/promises:288",
        "==4711==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010",
        "** (RuntimeError) no",
    ],
)
def test_a_message_ends_where_a_program_in_another_language_dies(find, death):
    head = f"2026-11-21 07:00:00 ERROR app: failed\n{PLAIN}"

    [found] = find(PythonErrors(), text=f"{head}{death}\nand more\n")
    [quoting] = find(PythonErrors(), text=f"{head.rstrip()}, it said:\n{death}\nand more\n")

    assert found.text == head
    assert quoting.event.message == f"division by zero, it said:\n{death}\nand more"


def test_a_message_ends_after_fifty_lines(find):
    text = f"2026-01-01 10:00:00,000 ERROR app: x\n{PLAIN}" + "more\n" * 1000

    [found] = find(PythonErrors(), text=text)

    assert found.text.count("\n") == 1 + PLAIN.count("\n") + 50


def test_a_traceback_that_breaks_off_is_still_an_event(find):
    text = 'Traceback (most recent call last):\n  File "/a.py", line 1, in f\n'

    [found] = find(PythonErrors(), text=f"{text}2026-01-01 10:00:00,001 INFO x: y\n")

    assert found.text == text
    assert (found.event.type, found.event.frames[0].function) == ("Traceback", "f")


def test_two_tracebacks_in_a_row_are_two_events(find):
    assert [found.text for found in find(PythonErrors(), text=PLAIN * 3)] == [PLAIN] * 3


def test_colours_are_no_obstacle(find):
    text = (
        'Traceback (most recent call last):\n  File \x1b[35m"/a.py"\x1b[0m, line \x1b[35m1\x1b[0m, in \x1b[35mf\x1b[0m\n'
        "    x()\n\x1b[1;35mValueError\x1b[0m: \x1b[35mx\x1b[0m\n"
    )

    event = only(find(PythonErrors(), text=text))

    assert (event.type, event.message, event.frames[0].file) == ("ValueError", "x", "/a.py")


def test_a_message_on_the_line_of_the_header_is_its_prefix(find):
    [found] = find(PythonErrors(), text=f"2026-01-01 10:00:00,000 ERROR app: it failed: {PLAIN}")

    assert found.block.prefix == "2026-01-01 10:00:00,000 ERROR app: it failed: "
    assert found.event.type == "ZeroDivisionError"


@pytest.mark.parametrize(
    "text",
    [
        f">>> main()\n{PLAIN}",
        f"... main()\n...\n{PLAIN}",
        "Traceback (most recent call last):\n    ...\nZeroDivisionError: division by zero\n",
        "Traceback (most recent call last):\n",
        "Searching for Traceback (most recent call last): in the log\n  no match\n",
        "/srv/app/t_warn.py:2: DeprecationWarning: old api\n  warnings.warn('old api')\n",
        "SyntaxError: Unexpected token } in JSON at position 4\n    at JSON.parse (<anonymous>)\n",
        "Exception ignored in the following cases are listed below\nnone of them matters\n",
        "  File seen\nSyntaxError: in a message\n",
        "  one\n  two\n  three\n  four\n  five\nSyntaxError: far from any file\n",
        "10 Tracebacks (most recent call last): none\n",
    ],
)
def test_examples_warnings_and_prose_are_no_events(find, text):
    assert find(PythonErrors(), text=text) == []


def test_what_is_in_the_application_is_told_by_the_path(find):
    files = {
        "/srv/app/shop.py": True,
        "/usr/lib/python3.13/threading.py": False,
        "/srv/venv/lib/python3.11/site-packages/flask/app.py": False,
        "/usr/lib/python3/dist-packages/yaml/__init__.py": False,
        "<frozen importlib._bootstrap>": False,
        "<string>": False,
        "<stdin>": True,
        "C:\\Python311\\Lib\\json\\decoder.py": False,
        "C:\\app\\shop.py": True,
    }
    frames = "".join(f'  File "{file}", line 1, in f\n    x()\n' for file in files)

    event = only(find(PythonErrors(), text=f"Traceback (most recent call last):\n{frames}ValueError: x\n"))

    assert {frame.file: frame.in_app for frame in event.frames} == files
    assert [frame.module for frame in event.frames] == [
        "shop",
        "threading",
        "flask.app",
        "yaml",
        "importlib._bootstrap",
        "",
        "",
        "json.decoder",
        "shop",
    ]


def test_settings_move_the_border_of_the_application(find):
    config = PythonConfig(in_app=["/srv/venv/lib/python3.11/site-packages/ours"], not_in_app=["vendor"])
    text = dedent("""\
        Traceback (most recent call last):
          File "/srv/venv/lib/python3.11/site-packages/ours/a.py", line 1, in f
          File "/srv/app/vendor/b.py", line 1, in f
          File "/srv/app/vendored.py", line 1, in f
        ValueError: x
        """)

    event = only(find(PythonErrors(config), text=text))

    assert [frame.in_app for frame in event.frames] == [True, False, True]


def test_a_very_deep_stack_keeps_both_ends(find):
    frames = "".join(f'  File "/a.py", line {line}, in f\n' for line in range(900))

    event = only(find(PythonErrors(), text=f"Traceback (most recent call last):\n{frames}ValueError: x\n"))

    assert [event.frames[0].line, event.frames[-1].line, len(event.frames)] == [0, 899, 200]


def test_cutting_waits_while_the_traceback_may_go_on():
    lines = window(PLAIN, final=False)

    assert PythonErrors().cut(lines, 0) == More(0)


@pytest.mark.parametrize("text", [CHAIN, GROUP, PLAIN])
def test_line_by_line_gives_the_same_as_all_at_once(find, text):
    whole = f"2026-01-01 10:00:00,000 ERROR app: x\n{text}2026-01-01 10:00:00,001 INFO app: y\n"

    piecewise = find(PythonErrors(), text=whole, step=1)
    at_once = find(PythonErrors(), text=whole)

    assert [(found.text, found.event) for found in piecewise] == [
        (found.text, found.event) for found in at_once
    ]
    assert len(at_once) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):\n" * 3_000,
        'Traceback (most recent call last):\n  File "' + "a" * 500_000 + "\n",
        PLAIN + "x: " * 100_000 + "\n",
        "Traceback (most recent call last):\n" + "  | " * 100_000 + "\n",
        "SyntaxError: x\n" * 3_000,
    ],
)
def test_hostile_input_takes_linear_time(find, text):
    started = process_time()

    find(PythonErrors(), text=text)

    assert process_time() - started < 6


def test_the_handler_of_asyncio_ends_the_message_of_the_traceback_above_it(find):
    first = 'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in f\n    f()\nValueError: too deep\n'
    second = (
        "Task exception was never retrieved\n"
        "future: <Task finished name='T1' coro=<w() done, defined at /srv/b.py:2> exception=KeyError('k')>\n"
        'Traceback (most recent call last):\n  File "/srv/b.py", line 2, in w\n    d["k"]\nKeyError: \'k\'\n'
    )

    one, other = find(PythonErrors(), text=f"2026-01-01 00:00:00 INFO started\n{first}{second}")

    assert (one.text, one.event.message) == (first, "too deep")
    assert other.text == second


test_contract = contract(PythonErrors, good=[PLAIN, CHAIN, GROUP], bad=["started, 0 errors found\n"])
