"""Reports of PHP become events."""

import json
import random

import pytest
from aiops_detector_php import PhpConfig, PhpErrors

from aiops_core.testing import contract
from aiops_core.testing.detecting import find
from aiops_core.text.blocks import Grammar

UNCAUGHT = """\
PHP Fatal error:  Uncaught RuntimeException: no stock in /app/shop.php:3
Stack trace:
#0 /app/main.php(7): sell()
#1 {main}
  thrown in /app/shop.php on line 3
"""
CAUSED = """\
PHP Fatal error:  Uncaught PDOException: gone away in /app/src/Db.php:31
Stack trace:
#0 /app/vendor/doctrine/dbal/src/Connection.php(88): Shop\\Db->query()
#1 [internal function]: Shop\\Job->run()
#2 /app/public/index.php(9): Shop\\Kernel->handle()
#3 {main}

Next Shop\\PayError: cannot pay in /app/src/Pay.php:12
Stack trace:
#0 /app/public/index.php(9): Shop\\Pay->charge(Object(Shop\\Order), 'a (b) c')
#1 {main}
  thrown in /app/src/Pay.php on line 12
"""
OLD = """\
PHP Fatal error:  Uncaught exception 'Shop\\PayError' with message 'no card' in /app/pay.php:7
Stack trace:
#0 {main}
  thrown in /app/pay.php on line 7
"""
EXHAUSTED = """\
PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /app/report.php on line 40
"""
PARSE = """\
PHP Parse error:  syntax error, unexpected token "}" in /app/shop.php on line 9
"""
PAGE = """\
<br />
<b>Fatal error</b>:  Uncaught TypeError: sell(): Argument #1 must be of type int in /app/shop.php:3
Stack trace:
#0 /app/main.php(7): sell('x')
#1 {main}
  thrown in <b>/app/shop.php</b> on line <b>3</b><br />
"""
MONOLOG = """\
[2026-01-02T03:04:05.678901+00:00] shop.ERROR: cannot pay {"exception":"[object] (Shop\\\\PayError(code: 0): cannot pay at /app/src/Pay.php:12)
[stacktrace]
#0 /app/public/index.php(9): Shop\\\\Pay->charge()
#1 {main}
"} []
"""
MESSAGE = """\
PHP Fatal error:  Uncaught Exception: cannot pay:
no card
no address in /app/pay.php:7
Stack trace:
#0 {main}
  thrown in /app/pay.php on line 7
"""
CONSOLE = """\
In Pay.php line 12:

  [Shop\\PayError]
  cannot pay

"""
REPORTS = {
    "uncaught": UNCAUGHT,
    "caused": CAUSED,
    "old": OLD,
    "exhausted": EXHAUSTED,
    "parse": PARSE,
    "message": MESSAGE,
}


@pytest.mark.parametrize("step", [0, 1, 2, 3])
@pytest.mark.parametrize("report", [*REPORTS.values(), MONOLOG], ids=[*REPORTS, "monolog"])
def test_every_form_is_one_event_from_its_first_line_to_its_last_however_it_arrives(report, step):
    first, second = find(PhpErrors(), text=f"before\n{report}[done]\n{report}", step=step)

    assert first.event.language == "php"
    assert (first.text, second.text) == (report, report)


@pytest.mark.parametrize(
    ("report", "name", "message"),
    [
        (UNCAUGHT, "RuntimeException", "no stock"),
        (OLD, "Shop\\PayError", "no card"),
        (
            EXHAUSTED,
            "Fatal error",
            "Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)",
        ),
        (PARSE, "Parse error", 'syntax error, unexpected token "}"'),
        (PAGE, "TypeError", "sell(): Argument #1 must be of type int"),
        (MONOLOG, "Shop\\PayError", "cannot pay"),
        (MESSAGE, "Exception", "cannot pay:\nno card\nno address"),
    ],
)
def test_type_and_message_are_read(report, name, message):
    (found,) = find(PhpErrors(), text=report)

    assert (found.event.type, found.event.message) == (name, message)


def test_the_exception_that_surfaced_is_printed_last_and_comes_first():
    (found,) = find(PhpErrors(), text=CAUSED)

    assert [(one.type, one.message, one.link, one.parent) for one in found.event.exceptions] == [
        ("Shop\\PayError", "cannot pay", "raised", -1),
        ("PDOException", "gone away", "cause", 0),
    ]


def test_frames_run_from_the_outermost_call_to_the_throw_and_packages_are_not_own_code():
    (found,) = find(PhpErrors(), text=CAUSED)

    assert [(frame.file, frame.line, frame.in_app) for frame in found.event.exceptions[1].frames] == [
        ("/app/public/index.php", 9, True),
        ("", 0, False),
        ("/app/vendor/doctrine/dbal/src/Connection.php", 88, False),
        ("/app/src/Db.php", 31, True),
    ]


def test_own_code_can_be_named_and_excluded():
    config = PhpConfig(in_app=["/app/vendor/doctrine/"], not_in_app=["/app/public/"])

    (found,) = find(PhpErrors(config), text=CAUSED)

    assert [frame.line for frame in found.event.exceptions[1].frames if frame.in_app] == [88, 31]


def test_exhausted_memory_is_critical():
    (found,) = find(PhpErrors(), text=EXHAUSTED)

    assert found.event.severity == "critical"


def test_both_printings_of_one_error_are_one_event():
    shown = "\n" + UNCAUGHT.replace("PHP Fatal error:  ", "Fatal error: ")

    (found,) = find(PhpErrors(), text=UNCAUGHT + shown)

    assert found.end == UNCAUGHT.count("\n") + shown.count("\n")


def test_what_a_worker_said_through_fpm_is_unwrapped():
    lines = "".join(
        f'[02-Jan-2026 03:04:05] WARNING: [pool www] child 12 said into stderr: "{line}"\n'
        for line in UNCAUGHT.splitlines()
    )

    (found,) = find(PhpErrors(), text=lines)

    assert (found.event.type, found.event.message) == ("RuntimeException", "no stock")
    assert (found.start, found.end) == (0, 5)


def test_the_logging_line_that_introduced_an_error_is_joined():
    line = "2026-01-02 03:04:05 ERROR worker crashed\n"

    (found,) = find(PhpErrors(), text=f"2026-01-02 03:04:05 INFO started\n{line}{UNCAUGHT}")

    assert (found.headline, found.start) == (line.strip(), 1)


@pytest.mark.parametrize("stamp", ["", "[02-Jan-2026 03:04:05 UTC] "])
@pytest.mark.parametrize(
    "notice", ["PHP Warning:  Undefined variable $x", "PHP Notice:  Odd", "PHP Deprecated:  f()"]
)
def test_a_notice_of_the_engine_introduces_no_error(stamp, notice):
    text = f"{stamp}{notice} in /app/a.php on line 3\n{stamp}{UNCAUGHT}"

    (found,) = find(PhpErrors(), text=text)

    assert (found.headline, found.start) == ("", 1)


def test_an_exception_a_logger_wrote_out_is_one_event():
    text = (
        "[2026-01-02 03:04:05] production.ERROR: Shop\\PayError: cannot pay in /app/src/Pay.php:12\n"
        "Stack trace:\n"
        "#0 /app/public/index.php(9): Shop\\Pay->charge()\n"
        "#1 {main}\n"
    )

    (found,) = find(PhpErrors(), text=text + "[2026-01-02 03:04:06] production.INFO: next\n")

    assert (found.event.type, found.event.message, found.end) == ("Shop\\PayError", "cannot pay", 4)


def test_two_processes_that_write_between_each_other_are_two_events():
    text = "".join(f"[p1] {one}\n[p2] {one}\n" for one in CAUSED.splitlines())

    found = find(PhpErrors(), text=text)

    assert [[len(one.frames) for one in two.event.exceptions] for two in found] == [[2, 4], [2, 4]]


def test_a_record_with_the_trace_in_a_field_is_one_event():
    record = {"level": "error", "message": "cannot pay", "trace": UNCAUGHT.removesuffix("\n")}

    (found,) = find(PhpErrors(), text=json.dumps(record) + "\n")

    assert (found.event.type, found.headline) == ("RuntimeException", "cannot pay")


def test_an_error_box_of_a_console_command_is_one_event():
    (found,) = find(PhpErrors(), text=f"before\n{CONSOLE}job:run\n")

    assert (found.event.type, found.event.message) == ("Shop\\PayError", "cannot pay")


def test_a_report_that_was_cut_off_is_an_event_still():
    (found,) = find(PhpErrors(), text="".join(CAUSED.splitlines(keepends=True)[:4]))

    assert (found.event.type, found.event.message) == ("PDOException", "gone away")


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "no exception was raised",
        "OK (12 tests, 34 assertions)",
        "PHP Warning:  Undefined variable $x in /app/a.php on line 3",
        "Stack trace:",
        "#0 /app/main.php(7): sell()",
        "Fatal errors are reported to the console",
        "No syntax errors detected in shop.php",
    ],
)
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(PhpErrors(), text=f"start\n{line}\nend\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(PhpErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    detector = PhpErrors()
    grammar = Grammar([detector])
    for report in [*REPORTS.values(), PAGE, MONOLOG, CONSOLE] * 20:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(detector, grammar=grammar, text="".join(lines)[: chance.randrange(len(report))])


test_contract = contract(PhpErrors, good=[UNCAUGHT], bad=["started, 0 errors found\n"])
