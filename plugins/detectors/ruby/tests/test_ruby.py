"""Reports of Ruby become events."""

import random

import pytest
from aiops_detector_ruby import RubyErrors

from aiops_core.testing.detecting import find

REPORT = """\
shop.rb:3:in `sell': no stock (RuntimeError)
	from shop.rb:7:in `<main>'
"""


def test_a_report_is_one_event():
    (found,) = find(RubyErrors(), text="before\n" + REPORT + "after\n")

    assert found.event.language == "ruby"
    assert "no stock" in f"{found.event.type} {found.event.message}"
    assert (found.start, found.end) == (1, 1 + REPORT.count("\n"))


@pytest.mark.parametrize("step", [1, 2, 3])
def test_it_does_not_matter_in_which_pieces_a_report_arrives(step):
    text = "before\n" + REPORT + "after\n" + REPORT

    whole, pieces = find(RubyErrors(), text=text), find(RubyErrors(), text=text, step=step)

    assert [(one.event, one.start, one.end) for one in pieces] == [
        (one.event, one.start, one.end) for one in whole
    ]
    assert len(whole) == 2


@pytest.mark.parametrize("line", ["0 errors found", "no exception was raised", "done: 12 tests, 0 failed"])
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(RubyErrors(), text=line + "\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(RubyErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    for _ in range(200):
        lines = REPORT.splitlines(keepends=True)
        chance.shuffle(lines)
        cut = chance.randrange(len(REPORT))
        find(RubyErrors(), text="".join(lines)[:cut])
