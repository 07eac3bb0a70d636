"""R8: a fix is proven by a test that fails without it as the error did, and passes with it."""

import sys
from pathlib import Path

import pytest

from aiops_core import replace
from aiops_core.errors import Refused
from aiops_core.records import Edit, Frame, RaisedException, TestRun
from aiops_core.repair import propose
from aiops_core.repair.reproducing import UNREPRODUCED, reproducing
from aiops_core.repair.results import failures, number_of_tests, read_results
from aiops_core.repair.verify import Checked
from aiops_core.repository import open_mirror
from aiops_core.settings import Policy, Repository

OUTPUTS = Path(__file__).with_name("outputs")
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

    def run(*edits, incident=raised, fork=""):
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
            fork=fork,
        )

    run.log = log
    run.commit = shop.commit
    return run


def test_r8_a_new_test_that_shows_the_error_proves_the_fix(attempt):
    change = attempt(FIX, SHOWS)

    assert change.reproduced_by == (NAME,)
    assert (change.may_reach, change.notes) == ("ready", ())
    assert (change.before.passed, change.before.tests, change.after.tests) == (True, 1, 2)
    runs = [line.partition(":")[0] for line in attempt.log if line.startswith("tests")]
    assert runs[::2] == [
        "tests before the change",
        "tests after the change, but for its tests",
        "tests after the change",
        "tests without the change",
    ]


def test_r8_a_further_commit_is_proven_where_its_branch_left_the_base(attempt):
    fork = attempt.commit({})
    fixed = APP.replace("item['price']", "item.get('price', 0)")
    attempt.commit({"shop/app.py": fixed, "shop/more.py": "x = 1\n"})

    change = attempt(SHOWS, fork=fork)
    alone = attempt(SHOWS)

    assert change.reproduced_by == (NAME,)
    assert (change.may_reach, change.notes) == ("ready", ())
    assert (alone.reproduced_by, alone.may_reach) == ((), "draft")


def test_r8_a_further_commit_that_shows_no_error_at_the_fork_proves_nothing(attempt):
    fork = attempt.commit({})
    attempt.commit({"shop/app.py": APP.replace("item['price']", "item.get('price', 0)")})

    change = attempt(new_test("self.assertEqual(0, total([]))"), fork=fork)

    assert (change.reproduced_by, change.notes) == ((), (UNREPRODUCED,))


def test_r8_an_existing_test_that_failed_with_the_error_proves_it_without_another_run(attempt):
    failing = OLD + "\n    def test_free(self):\n        self.assertEqual(0, total([{}]))\n"
    attempt.commit({"tests/test_app.py": failing})

    change = attempt(FIX)

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


OTHER = "\n\ndef tax(item):\n    return item['price'] // 5\n"
FAILING = OLD.replace("import total", "import tax, total") + (
    "\n    def test_free(self):\n        self.assertEqual(0, total([{}]))\n"
    "\n    def test_tax(self):\n        self.assertEqual(0, tax({}))\n"
)


@pytest.fixture
def two_bugs(attempt):
    """Return the shop with two functions that raise alike, and a failing test of each."""
    attempt.commit({"shop/app.py": APP + OTHER, "tests/test_app.py": FAILING})
    return attempt


def test_r8_a_fix_of_another_function_leaves_the_error_and_is_refused(two_bugs):
    with pytest.raises(Refused) as caught:
        two_bugs(Edit("replace", "shop/app.py", search="item['price'] //", replace="item.get('price', 0) //"))

    assert caught.value.rule == "tests"
    assert str(caught.value) == (
        "tests: the error the fix is for is still raised in tests that fail as before: "
        "tests.test_app.Cart.test_free. Propose a fix that removes its cause."
    )


def test_r8_what_another_bug_raises_alike_is_not_blamed_on_the_fix(two_bugs):
    change = two_bugs(
        Edit("replace", "shop/app.py", search="item['price'] for", replace="item.get('price', 0) for")
    )

    assert change.after.failed == ("tests.test_app.Cart.test_tax",)
    assert change.reproduced_by == ("tests.test_app.Cart.test_free",)
    assert change.may_reach == "ready"


def test_r8_a_fix_of_some_cases_only_stays_a_draft(attempt):
    cases = OLD + (
        "\n    def test_free(self):\n        self.assertEqual(0, total([{}]))\n"
        "\n    def test_unnamed(self):\n        self.assertEqual(0, total([{'name': 1}]))\n"
    )
    attempt.commit({"tests/test_app.py": cases})

    change = attempt(
        Edit("replace", "shop/app.py", search="for item in items", replace="for item in items if item")
    )

    assert change.after.failed == ("tests.test_app.Cart.test_unnamed",)
    assert (change.reproduced_by, change.may_reach) == ((), "draft")


def test_r7_r8_a_new_test_cannot_make_an_old_one_prove_the_fix(attempt):
    failing = OLD + "\n    def test_free(self):\n        self.assertEqual(0, total([{}]))\n"
    attempt.commit({"tests/test_app.py": failing})
    cover = "import unittest\nimport shop.app\n\nif hasattr(shop.app, 'VERSION'):\n    shop.app.total = len\n"
    useless = Edit("replace", "shop/app.py", search="def total", replace="VERSION = 1\n\n\ndef total")

    with pytest.raises(Refused) as caught:
        attempt(useless, Edit("create", "tests/test_a.py", replace=cover))

    assert "still raised in tests that fail as before: tests.test_app.Cart.test_free" in str(caught.value)


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


PYTEST = """\
______________________________ test_free ______________________________

    def test_free():
>       assert total([{}]) == 0

tests/test_app.py:5:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

    def total(items):
>       return sum([item['price'] for item in items])
E       KeyError: 'price'

shop/app.py:2: KeyError
FAILED tests/test_app.py::test_free - KeyError: 'price'
1 failed in 0.1s
"""
RUST = """\
test free ... FAILED
---- free stdout ----
thread 'free' panicked at src/lib.rs:4:45:
called `Option::unwrap()` on a `None` value
"""


def checked(output, code=0):
    text = (OUTPUTS / output).read_text() if output.endswith((".txt", ".tap")) else output
    results = read_results(text)
    return Checked(TestRun("x", code, 1.0, text, number_of_tests(results), failures(results)), results)


@pytest.mark.parametrize(
    ("output", "type_", "file", "function", "other"),
    [
        ("pytest.txt", "KeyError", "/app/test_a.py", "total", "stock"),
        (PYTEST, "app.errors.KeyError", "/app/shop/app.py", "total", "stock"),
        ("jest.txt", "TypeError", "/app/sum.test.js", "price", "stock"),
        ("vitest.txt", "TypeError", "/app/sum.test.js", "<anonymous>", "stock"),
        ("node_spec.txt", "TypeError", "/app/a.test.js", "total", "stock"),
        ("node_tap.txt", "TypeError", "/app/a.test.js", "total", "stock"),
        (
            "go.txt",
            "runtime error: invalid memory address or nil pointer dereference",
            "/app/order/order.go",
            "example.com/shop/order.Place",
            "example.com/shop/order.Send",
        ),
        (RUST, "panic", "src/lib.rs", "shop::total::{{closure}}", "shop::send"),
    ],
)
def test_r8_the_logged_error_is_known_in_what_each_runner_prints(
    raised, output, type_, file, function, other
):
    def logged(type_, function):
        error = RaisedException(type_, "", (Frame(file, 1, function),))
        return replace(raised, events=(replace(raised.event, exceptions=(error,)),))

    failing, passing = checked(output, 1), checked("fine")

    assert reproducing(failing, passing, logged(type_, function))
    assert not reproducing(failing, passing, logged(type_, other))
    assert not reproducing(failing, passing, logged("OverflowError", function))


def test_r8_a_hostile_output_takes_no_time(raised):
    hostile = checked("KeyError in total\n" * 50_000, 1)

    assert reproducing(hostile, checked("fine"), raised) == ("x",)
