"""Tests before and after a fix: what is refused, what is not blamed, what is noted (R6)."""

from propose_scene import APP, FIX, RUN, TESTS, edit, refusal


def test_r6_a_fix_is_tested_before_and_after_and_old_failures_are_not_blamed(attempt, shop):
    change = attempt(FIX)

    assert change.is_verified
    assert change.base_commit == shop.git("rev-parse", "HEAD")
    assert change.base_branch == "main"
    assert [(file.path, file.content) for file in change.files] == [
        ("shop/app.py", APP.replace("item['price']", "item.get('price', 0)").encode())
    ]
    assert change.before.failed == (
        "tests.test_app.Cart.test_free_item",
        "tests.test_app.Cart.test_never_worked",
    )
    assert change.after.failed == ("tests.test_app.Cart.test_never_worked",)
    assert (change.before.tests, change.after.tests) == (4, 4)
    assert "-    return sum(item['price'] for item in items)" in change.diff
    assert attempt.log[0] == "the fix changes shop/app.py (+1 −1)"
    assert attempt.log[1] == f"tests before the change: {RUN}"


def test_r6_s19_the_same_in_bubblewrap(attempt, bubblewrap):
    change = attempt(FIX, sandbox="bubblewrap")

    assert change.after.sandbox == "bubblewrap"
    assert change.after.failed == ("tests.test_app.Cart.test_never_worked",)


def test_r6_a_regression_is_refused_with_the_test_and_its_output(attempt):
    error = refusal(attempt, FIX, edit("len(items)", "len(items) + 1"))

    assert error.rule == "tests"
    assert "newly failing: tests.test_app.Cart.test_count" in str(error)
    assert "AssertionError: 2 != 3" in str(error)


def test_s20_an_infinite_loop_is_refused(attempt):
    loop = edit("    return len(items)", "    while True:\n        __import__('time').sleep(1)")

    error = refusal(attempt, loop, test_timeout=2)

    assert "the tests do not end any more" in str(error)


def test_a_fix_of_an_infinite_loop_is_accepted(attempt, shop):
    loop = "    while True:\n        __import__('time').sleep(1)\n"
    hanging = APP.replace("    return len", f"{loop}    return len")
    shop.commit({"shop/app.py": hanging, "tests/test_app.py": TESTS.replace("(1, 2)", "(1, 1)")})

    change = attempt(edit(loop, ""), FIX, test_timeout=2)

    assert change.before.timed_out
    assert change.after.tests == 4


def test_test_files_that_tests_of_the_base_write_too_are_not_blamed(attempt, shop):
    writes = "import pathlib\npathlib.Path(__file__).touch()\n"
    shop.commit({"tests/test_touching.py": writes})

    assert attempt(FIX).after.passed is not None


def test_r6_an_unsteady_test_is_not_blamed_on_the_change(attempt, shop, tmp_path):
    mark = tmp_path / "coin"
    flaky = (
        f"    def test_unsteady(self):\n        from pathlib import Path\n        coin = Path({str(mark)!r})\n"
        "        tosses = len(coin.read_text()) if coin.exists() else 0\n        coin.write_text('x' * (tosses + 1))\n"
        "        self.assertEqual(0, tosses)\n"
    )
    shop.commit({"tests/test_app.py": TESTS + "\n" + flaky})

    change = attempt(FIX)

    assert "tests.test_app.Cart.test_unsteady" in change.before.failed
    assert "tests.test_app.Cart.test_unsteady" in change.after.failed
    assert change.notes == ("tests.test_app.Cart.test_unsteady is unsteady: run again, it ended otherwise",)
    assert change.may_reach == "ready"


def test_r6_a_test_that_fails_once_with_the_change_is_named_and_the_fix_stays_a_draft(
    attempt, shop, tmp_path
):
    mark = tmp_path / "coin"
    flaky = (
        f"    def test_unsteady(self):\n        from pathlib import Path\n        coin = Path({str(mark)!r})\n"
        "        tosses = len(coin.read_text()) if coin.exists() else 0\n        coin.write_text('x' * (tosses + 1))\n"
        "        self.assertNotEqual(1, tosses)\n"
    )
    steady = TESTS.replace("assertEqual(1, 2)", "assertEqual(1, 1)")
    shop.commit({"tests/test_app.py": steady + "\n" + flaky})

    change = attempt(FIX)

    assert change.notes == ("tests.test_app.Cart.test_unsteady is unsteady: run again, it ended otherwise",)
    assert change.may_reach == "draft"
    assert change.after.passed
    assert len(mark.read_text()) == 3


def test_r6_a_test_that_is_swapped_for_another_is_missed_by_name(attempt):
    names = "import ast\nPATHS = [n.name for n in ast.parse(open('shop/app.py').read()).body]\n"
    tests = (
        f"import unittest\n{names}\n\nclass Each(unittest.TestCase):\n    pass\n\n\n"
        "for name in PATHS:\n    setattr(Each, f'test_{name}', lambda self: None)\n"
    )
    attempt.shop.commit({"tests/test_app.py": tests})

    error = refusal(attempt, edit("def count", "def counted"), test=f"{RUN} -v")

    assert "passed before and are not run now: tests.test_app.Each.test_count" in str(error)


def test_without_a_test_command_the_change_says_it_is_not_verified(attempt):
    change = attempt(FIX, test="")

    assert not change.is_verified
    assert change.notes == ("not verified: repository.test is not set",)


def test_s20_a_fix_that_prints_without_end_is_refused_for_that(attempt):
    endless = edit("    return len(items)", "    while True:\n        print('x' * 10_000)")

    error = refusal(attempt, endless)

    assert str(error).startswith("tests: 4 tests ran before, and none reports now.")
    assert str(error).endswith("stopped: it printed more than 64 MB\n")
