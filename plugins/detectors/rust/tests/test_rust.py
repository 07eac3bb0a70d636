"""Reports of Rust become events."""

import random

import pytest
from aiops_detector_rust import RustErrors

from aiops_core.testing.detecting import find

REPORT = """\
thread 'main' panicked at src/shop.rs:3:5:
no stock
stack backtrace:
   0: shop::sell
             at ./src/shop.rs:3:5
   1: shop::main
             at ./src/main.rs:7:5
"""


def test_a_report_is_one_event():
    (found,) = find(RustErrors(), text="before\n" + REPORT + "after\n")

    assert found.event.language == "rust"
    assert "no stock" in f"{found.event.type} {found.event.message}"
    assert (found.start, found.end) == (1, 1 + REPORT.count("\n"))


@pytest.mark.parametrize("step", [1, 2, 3])
def test_it_does_not_matter_in_which_pieces_a_report_arrives(step):
    text = "before\n" + REPORT + "after\n" + REPORT

    whole, pieces = find(RustErrors(), text=text), find(RustErrors(), text=text, step=step)

    assert [(one.event, one.start, one.end) for one in pieces] == [
        (one.event, one.start, one.end) for one in whole
    ]
    assert len(whole) == 2


@pytest.mark.parametrize("line", ["0 errors found", "no exception was raised", "done: 12 tests, 0 failed"])
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(RustErrors(), text=line + "\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(RustErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    for _ in range(200):
        lines = REPORT.splitlines(keepends=True)
        chance.shuffle(lines)
        cut = chance.randrange(len(REPORT))
        find(RustErrors(), text="".join(lines)[:cut])
