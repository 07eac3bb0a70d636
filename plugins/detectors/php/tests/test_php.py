"""Reports of PHP become events."""

import random

import pytest
from aiops_detector_php import PhpErrors

from aiops_core.testing.detecting import find

REPORT = """\
PHP Fatal error:  Uncaught RuntimeException: no stock in /app/shop.php:3
Stack trace:
#0 /app/main.php(7): sell()
#1 {main}
  thrown in /app/shop.php on line 3
"""


def test_a_report_is_one_event():
    (found,) = find(PhpErrors(), text="before\n" + REPORT + "after\n")

    assert found.event.language == "php"
    assert "no stock" in f"{found.event.type} {found.event.message}"
    assert (found.start, found.end) == (1, 1 + REPORT.count("\n"))


@pytest.mark.parametrize("step", [1, 2, 3])
def test_it_does_not_matter_in_which_pieces_a_report_arrives(step):
    text = "before\n" + REPORT + "after\n" + REPORT

    whole, pieces = find(PhpErrors(), text=text), find(PhpErrors(), text=text, step=step)

    assert [(one.event, one.start, one.end) for one in pieces] == [
        (one.event, one.start, one.end) for one in whole
    ]
    assert len(whole) == 2


@pytest.mark.parametrize("line", ["0 errors found", "no exception was raised", "done: 12 tests, 0 failed"])
def test_a_line_that_only_mentions_errors_is_none(line):
    assert find(PhpErrors(), text=line + "\n") == []


def test_the_public_samples_of_other_programs_hold_none(corpora):
    for path in sorted((corpora / "loghub").rglob("*.log")):
        assert find(PhpErrors(), text=path.read_bytes()) == [], path.name


def test_damaged_reports_raise_nothing():
    chance = random.Random(1)
    for _ in range(200):
        lines = REPORT.splitlines(keepends=True)
        chance.shuffle(lines)
        cut = chance.randrange(len(REPORT))
        find(PhpErrors(), text="".join(lines)[:cut])
