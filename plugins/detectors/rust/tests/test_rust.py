"""Reports of Rust become events."""

import json
import random

import pytest
from aiops_detector_rust import RustConfig, RustErrors

from aiops_core.testing import contract
from aiops_core.testing.detecting import find
from aiops_core.text.blocks import Grammar

PANIC = """\
thread 'main' panicked at src/shop.rs:3:5:
no stock
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/std/src/panicking.rs:665:5
   1: core::option::expect_failed
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/core/src/option.rs:1974:5
   2: shop::basket::sell
             at ./src/shop.rs:3:5
   3: serde_json::de::from_str
             at /home/eva/.cargo/registry/src/index.crates.io-6f17d22bba15001f/serde_json-1.0.1/src/de.rs:9:1
   4: shop::main
             at ./src/main.rs:7:5
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
"""
SHORT = """\
thread 'tokio-runtime-worker' panicked at src/pay.rs:12:9:
called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, message: "No such file" }
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""
OLD = """\
thread 'main' panicked at 'index out of bounds: the len is 3 but the index is 5', src/shop.rs:4:5
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""
COMPARED = """\
thread 'main' (4711) panicked at tests/basket.rs:9:5:
assertion `left == right` failed: totals differ
  left: 3
 right: 4
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""
OVERFLOW = """\
thread 'walker' (7217) has overflowed its stack
fatal runtime error: stack overflow, aborting
"""
ANYHOW = """\
Error: cannot start the shop

Caused by:
    0: cannot read the configuration
    1: No such file or directory (os error 2)

Stack backtrace:
   0: anyhow::error::<impl core::convert::From<E> for anyhow::Error>::from
             at /home/eva/.cargo/registry/src/index.crates.io-6f17d22bba15001f/anyhow-1.0.86/src/error.rs:565:25
   1: shop::start
             at ./src/main.rs:14:5
"""
EYRE = """\
Error:
   0: cannot start the shop
   1: No such file or directory (os error 2)

Location:
   src/main.rs:14:9

  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ BACKTRACE ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
                                ⋮ 5 frames hidden ⋮
   6: shop::start::h1a2b3c4d5e6f7081
      at /srv/shop/src/main.rs:14
                                ⋮ 9 frames hidden ⋮

Run with COLORBT_SHOW_HIDDEN=1 environment variable to disable frame filtering.
"""
ALLOCATION = "memory allocation of 1099511627776 bytes failed\n"
SHORT_EYRE = """\
Error:
   0: cannot start shop {}
   1: No such file or directory (os error 2)

Location:
   src/main.rs:14

Backtrace omitted. Run with RUST_BACKTRACE=1 environment variable to display it.
"""
REPORTS = {
    "panic": PANIC,
    "short": SHORT,
    "old": OLD,
    "compared": COMPARED,
    "overflow": OVERFLOW,
    "anyhow": ANYHOW,
    "eyre": EYRE,
    "allocation": ALLOCATION,
}


@pytest.mark.parametrize("step", [0, 1, 2, 3])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_form_is_one_event_from_its_first_line_to_its_last_however_it_arrives(report, step):
    first, second = find(RustErrors(), text=f"before\n{report}INFO done\n{report}", step=step)

    assert first.event.language == "rust"
    assert (first.text, second.text) == (report, report)


@pytest.mark.parametrize(
    ("report", "name", "message"),
    [
        (PANIC, "panic", "no stock"),
        (OLD, "panic", "index out of bounds: the len is 3 but the index is 5"),
        (COMPARED, "panic", "assertion `left == right` failed: totals differ\n  left: 3\n right: 4"),
        (OVERFLOW, "stack overflow", "thread 'walker' (7217) has overflowed its stack"),
        (ALLOCATION, "out of memory", "memory allocation of 1099511627776 bytes failed"),
    ],
)
def test_type_and_message_are_read(report, name, message):
    (found,) = find(RustErrors(), text=report)

    assert (found.event.type, found.event.message) == (name, message)


@pytest.mark.parametrize("blanks", [2, 4])
@pytest.mark.parametrize("above", ["", "12:00:01 opening the shop\n"])
def test_a_report_that_was_indented_as_a_whole_is_one_event(above, blanks):
    report = "".join(
        " " * blanks + line if line.strip() else line for line in ANYHOW.splitlines(keepends=True)
    )

    (found,) = find(RustErrors(), text=f"{above}{report}12:00:02 closed\n")

    assert [raised.message for raised in found.event.exceptions] == [
        "cannot start the shop",
        "cannot read the configuration",
        "No such file or directory (os error 2)",
    ]
    assert found.text == report


@pytest.mark.parametrize("report", [ANYHOW, EYRE])
def test_causes_of_a_report_are_a_chain(report):
    (found,) = find(RustErrors(), text=report)

    messages = [one.message for one in found.event.exceptions]
    assert messages[0] == "cannot start the shop"
    assert messages[-1] == "No such file or directory (os error 2)"
    assert [(one.link, one.parent) for one in found.event.exceptions[1:]] == [
        ("cause", number) for number in range(len(found.event.exceptions) - 1)
    ]


def test_the_standard_library_and_crates_are_not_own_code():
    (found,) = find(RustErrors(), text=PANIC)

    assert [(frame.module, frame.function, frame.line) for frame in found.event.frames if frame.in_app] == [
        ("shop", "main", 7),
        ("shop::basket", "sell", 3),
    ]
    assert found.event.frames[-1].module == "shop::basket"


def test_own_code_can_be_named_and_excluded():
    config = RustConfig(in_app=["serde_json::"], not_in_app=["shop::basket"])

    (found,) = find(RustErrors(config), text=PANIC)

    assert [frame.function for frame in found.event.frames if frame.in_app] == [
        "main",
        "from_str",
    ]


@pytest.mark.parametrize(
    ("report", "name"), [(SHORT, "tokio-runtime-worker"), (COMPARED, "main"), (OVERFLOW, "walker")]
)
def test_the_thread_is_told(report, name):
    (found,) = find(RustErrors(), text=report)

    assert found.event.attributes["thread"] == name


def test_a_panic_without_a_backtrace_names_its_place():
    (found,) = find(RustErrors(), text=SHORT)

    assert [(frame.file, frame.line, frame.column) for frame in found.event.frames] == [("src/pay.rs", 12, 9)]


def test_hashes_of_the_compiler_are_no_part_of_a_name():
    (found,) = find(RustErrors(), text=EYRE)

    assert ("shop", "start") in [
        (frame.module, frame.function) for one in found.event.exceptions for frame in one.frames
    ]


def test_colours_do_not_hide_a_report():
    coloured = (
        EYRE.replace("Error:", "\x1b[91mError:\x1b[0m")
        .replace("   0: c", "   0: \x1b[91mc")
        .replace("src/main.rs:14:9", "\x1b[35msrc/main.rs\x1b[0m:\x1b[35m14\x1b[0m:\x1b[35m9")
    )

    (found,) = find(RustErrors(), text=coloured)

    assert found.event.message == "cannot start the shop"


def test_the_logging_line_that_introduced_a_panic_is_joined():
    line = "2026-01-02T03:04:05.678901Z ERROR shop::worker: worker gone\n"

    (found,) = find(RustErrors(), text=f"2026-01-02T03:04:05.678901Z  INFO shop: hello\n{line}{PANIC}")

    assert (found.headline, found.start) == (line.strip(), 1)


def test_two_processes_that_write_between_each_other_are_two_events():
    text = "".join(f"[p1] {one}\n[p2] {one}\n" for one in PANIC.splitlines())

    found = find(RustErrors(), text=text)

    assert [(one.event.message, len(one.event.frames)) for one in found] == [("no stock", 3)] * 2


def test_two_panics_one_after_the_other_are_two_events():
    assert len(find(RustErrors(), text=SHORT + OLD + COMPARED)) == 3


@pytest.mark.parametrize(
    "said", ["Aborted (core dumped)", "run.sh: line 2:  4711 Aborted                 ./shop"]
)
def test_what_the_shell_says_of_an_abort_belongs_to_the_panic(said):
    text = f"thread 'main' panicked at src/main.rs:4:9:\nin drop\nthread caused non-unwinding panic. aborting.\n{said}\n"

    (found,) = find(RustErrors(), text=text + "next\n")

    assert found.text == text


def test_a_record_with_the_report_in_a_field_is_one_event():
    record = {"level": "ERROR", "message": "job failed", "error": ANYHOW.rstrip()}

    (found,) = find(RustErrors(), text=json.dumps(record) + "\n")

    assert (found.event.message, len(found.event.exceptions)) == ("cannot start the shop", 3)


def test_a_report_that_was_cut_off_is_an_event_still():
    (found,) = find(RustErrors(), text="".join(PANIC.splitlines(keepends=True)[:5]))

    assert (found.event.type, found.event.message) == ("panic", "no stock")


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "no exception was raised",
        "test result: ok. 12 passed; 0 failed",
        "thread 'main' started successfully",
        "thread main panicked",
        "Caused by:",
        "stack backtrace:",
        "Error: usage: shop [OPTIONS]",
        "warning: unused variable: `x` --> src/main.rs:3:5",
    ],
)
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(RustErrors(), text=f"start\n{line}\nend\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(RustErrors(), text=path.read_bytes()) == [], path.name


def test_the_public_reports_in_colour_are_one_event_each(corpora):
    for path in sorted((corpora / "traces/color-eyre").rglob("theme_*_control*.txt")):
        assert len(find(RustErrors(), text=path.read_bytes())) == 1, path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    detector = RustErrors()
    grammar = Grammar([detector])
    for report in [*REPORTS.values()] * 20:
        lines = report.splitlines(keepends=True)
        chance.shuffle(lines)
        find(detector, grammar=grammar, text="".join(lines)[: chance.randrange(len(report))])


test_contract = contract(RustErrors, good=[PANIC, SHORT], bad=["started, 0 errors found\n"])


def test_reports_of_runs_that_follow_one_another_are_one_event_each():
    found = find(RustErrors(), text="".join(SHORT_EYRE.format(number) for number in range(4)))

    assert [one.event.message for one in found] == [f"cannot start shop {number}" for number in range(4)]
