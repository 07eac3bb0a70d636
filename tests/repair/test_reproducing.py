"""R8: a fix is proven by a test that fails without it as the error did, and passes with it."""

import sys
from dataclasses import replace

import pytest

from aiops_core.records import Edit, Frame, RaisedException
from aiops_core.repair import propose
from aiops_core.repair.reproducing import UNREPRODUCED
from aiops_core.repository import open_mirror
from aiops_core.settings import Policy, Repository

APP = "def total(items):\n    return sum(item['price'] for item in items)\n"
OLD = """\
import unittest
from shop.app import total


class Cart(unittest.TestCase):
    def test_total(self):
        self.assertEqual(3, total([{'price': 1}, {'price': 2}]))
"""
FIX = Edit("replace", "shop/app.py", search="item['price']", replace="item.get('price', 0)")
NAME = "tests.test_free.Free.test_free"


def new_test(body):
    text = f"import unittest\nfrom shop.app import total\n\n\nclass Free(unittest.TestCase):\n    def test_free(self):\n        {body}\n"
    return Edit("create", "tests/test_free.py", replace=text)


SHOWS = new_test("self.assertEqual(1, total([{'price': 1}, {}]))")


@pytest.fixture
def raised(incident):
    frames = (Frame("/app/serve.py", 9, "main"), Frame("/app/shop/app.py", 2, "total"))
    error = RaisedException("KeyError", "'price'", frames)
    return replace(incident, events=(replace(incident.event, exceptions=(error,)),))


@pytest.fixture
def attempt(origins, tmp_path, raised):
    """Return a function that proposes edits for the incident against a shop whose tests pass."""
    files = {"shop/__init__.py": "", "shop/app.py": APP, "tests/__init__.py": "", "tests/test_app.py": OLD}
    shop = origins(tmp_path / "origin", files)
    log = []

    def run(*edits, incident=raised, **files):
        if files:
            shop.commit({f"tests/{name}.py": text for name, text in files.items()})
        config = Repository(url=str(shop.remote), test=f"{sys.executable} -m unittest", sandbox="none")
        mirror = open_mirror(config, tmp_path / "state")
        mirror.refresh()
        return propose(
            edits,
            mirror=mirror,
            repository=config,
            policy=Policy(),
            scratch=tmp_path / "scratch",
            log=log.append,
            incident=incident,
        )

    run.log = log
    return run


def test_r8_a_new_test_that_shows_the_error_proves_the_fix(attempt):
    change = attempt(FIX, SHOWS)

    assert change.reproduced_by == (NAME,)
    assert (change.may_reach, change.notes) == ("ready", ())
    assert (change.before.passed, change.before.tests, change.after.tests) == (True, 1, 2)
    assert sum(line.startswith("tests without the change: ") for line in attempt.log) == 2


def test_r8_an_existing_test_that_failed_with_the_error_proves_it_without_another_run(attempt):
    failing = OLD + "\n    def test_free(self):\n        self.assertEqual(0, total([{}]))\n"

    change = attempt(FIX, test_app=failing)

    assert change.reproduced_by == ("tests.test_app.Cart.test_free",)
    assert change.may_reach == "ready"
    assert not any(line.startswith("tests without") for line in attempt.log)


@pytest.mark.parametrize(
    "weak",
    [
        new_test("self.assertEqual(1, total([{'price': 1}]))"),  # passes before
        new_test("from shop import app; self.assertIn('get', open(app.__file__).read())"),  # another error
    ],
)
def test_r8_a_test_that_does_not_show_the_error_leaves_an_unverified_draft(attempt, weak):
    change = attempt(FIX, weak)

    assert change.reproduced_by == ()
    assert (change.may_reach, change.notes) == ("draft", (UNREPRODUCED,))


def test_r8_without_any_test_the_fix_is_an_unverified_draft(attempt):
    change = attempt(FIX)

    assert change.reproduced_by == ()
    assert (change.may_reach, change.notes) == ("draft", (UNREPRODUCED,))


def test_r8_another_frame_than_the_logged_one_is_not_the_error(attempt, raised):
    error = replace(raised.event.exceptions[0], frames=(Frame("/app/shop/stock.py", 2, "reserve"),))
    elsewhere = replace(raised, events=(replace(raised.event, exceptions=(error,)),))

    assert attempt(FIX, SHOWS, incident=elsewhere).reproduced_by == ()


def test_r8_an_unsteady_test_proves_nothing(attempt, tmp_path):
    coin = tmp_path / "coin"
    tosses = f"coin = __import__('pathlib').Path({str(coin)!r}); tosses = coin.stat().st_size if coin.exists() else 0"
    flaky = new_test(f"{tosses}; coin.write_text('x' * (tosses + 1)); total([{{}}]); self.assertTrue(tosses)")

    change = attempt(FIX, flaky)

    assert change.reproduced_by == ()
    assert change.may_reach == "draft"
    assert f"{NAME} is unsteady: run again, it ended otherwise" in change.notes


def test_r8_where_the_log_had_no_trace_any_test_that_turns_will_do(attempt, raised):
    plain = replace(raised, events=(replace(raised.event, exceptions=()),))

    assert attempt(FIX, SHOWS, incident=plain).reproduced_by == (NAME,)
