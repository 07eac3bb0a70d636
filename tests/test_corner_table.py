"""The table of corner cases: every number has a test that carries it, and the table names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "corner-cases.md"
TEST = re.compile(r"^\s*(?:async )?def (test_case_((?:\d+_)+)\w+)\(", re.MULTILINE)
LINK = re.compile(r"\]\(\.\./([^)#]+)#(\w+)\)")
FILES = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("plugins/*/*/tests/test_*.py")]


def numbers(carried):
    return {int(number) for number in carried.strip("_").split("_")}


def carriers():
    """Return the numbers that each test carries, by its file and name."""
    return {
        (path.relative_to(ROOT).as_posix(), name): numbers(carried)
        for path in FILES
        for name, carried in TEST.findall(path.read_text("utf-8"))
    }


def rows():
    """Return the rows of the two tables of the page: the cases, and what cannot be had."""
    cases, _, limits = PAGE.read_text("utf-8").partition("\n## What cannot be had\n")
    return tuple(
        {int(number): rest for number, rest in re.findall(r"^\| (\d+) \| (.*) \|$", text, re.MULTILINE)}
        for text in (cases, limits)
    )


def test_every_case_has_a_test_that_carries_its_number_or_a_reason_why_it_has_none():
    _, limits = rows()
    shown = set().union(*carriers().values())

    assert set(range(1, 101)) - shown - set(limits) == set()


def test_every_case_has_a_row_in_its_order():
    cases, limits = rows()

    assert list(cases) == list(range(1, 101))
    assert list(limits) == sorted(limits)


def test_the_tests_that_a_row_names_are_there_and_carry_its_number():
    known = carriers()
    cases, _ = rows()

    wrong = [
        (number, link)
        for number, row in cases.items()
        for link in LINK.findall(row) or [("", "")]
        if number not in known.get(link, ())
    ]

    assert wrong == []
