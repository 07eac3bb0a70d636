"""Each format of results, read from what real runners printed (``outputs/``) and from runs made here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aiops_core.repair.results import Results, failures, number_of_tests, read_results

OUTPUTS = Path(__file__).with_name("outputs")
UNITTEST = """.F.E
======================================================================
ERROR: test_b (tests.test_x.X.test_b)
----------------------------------------------------------------------
Traceback (most recent call last):
KeyError: 'b'

======================================================================
FAIL: test_a (tests.test_x.X) (i=1)
----------------------------------------------------------------------
AssertionError

======================================================================
FAIL: test_a (tests.test_x.X) (i=2)
----------------------------------------------------------------------
AssertionError

----------------------------------------------------------------------
Ran 4 tests in 0.003s

FAILED (failures=2, errors=1, skipped=1)
"""
PYTEST = """..F.s                                     [100%]
=================================== FAILURES ===================================
=========================== short test summary info ============================
FAILED tests/test_x.py::X::test_a - AssertionError: assert 1 == 2
FAILED tests/test_x.py::test_p[a b] - KeyError
ERROR tests/test_y.py - ImportError: no module
2 failed, 3 passed, 1 skipped, 1 xfailed, 1 error, 4 warnings in 0.12s
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (UNITTEST, Results(4, ("tests.test_x.X.test_b", "tests.test_x.X.test_a"), 1, 3)),
        ("..\nRan 2 tests in 0.1s\n\nOK\n", Results(2)),
        ("Ran 3 tests in 0.1s\n\nOK (skipped=2, expected failures=1)\n", Results(3, (), 3)),
        ("Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", Results(0)),
        (
            "ERROR: setUpClass (t.X)\nRan 0 tests in 0.1s\n\nFAILED (errors=1)\n",
            Results(0, ("t.X.setUpClass",), 0, 1),
        ),
        (
            "ERROR: tests.test_y (unittest.loader._FailedTest.tests.test_y)\nRan 1 test in 0s\n\nFAILED (errors=1)\n",
            Results(1, ("tests.test_y (unittest.loader._FailedTest.tests.test_y)",), 0, 1),
        ),
        (
            PYTEST,
            Results(
                8, ("tests/test_x.py::X::test_a", "tests/test_x.py::test_p[a b]", "tests/test_y.py"), 2, 3
            ),
        ),
        ("===== 3 passed in 1.20s =====\n", Results(3)),
        ("===== 3 passed, 2 warnings in 63.20s (0:01:03) =====\n", Results(3)),
        ("3 passed, 2 deselected in 1.20s\n", Results(3, (), 2)),
        ("no tests ran in 0.01s\n", Results(0)),
        ("all good\n", Results()),
        ("FAILED to connect\nERROR in config\n", Results()),
        ("Ran 2 tests in 0.1s\n\nOK\n3 passed in 0.1s\n", Results(5)),
        ("Ran 2 tests in 0.1s\n\nOK\nRan 5 tests in 0.1s\n\nOK\n", Results(7)),
    ],
)
def test_what_python_runners_print_is_read(output, expected):
    found = list(read_results(output).values())

    assert sum(results.tests or 0 for results in found) == (expected.tests or 0)
    assert failures(read_results(output)) == expected.failed
    assert sum(results.skipped for results in found) == expected.skipped
    assert sum(results.bad for results in found) == expected.bad
    assert (number_of_tests(read_results(output)) is None) == (expected.tests is None)


def recorded(name):
    text = (OUTPUTS / name).read_text()
    return read_results("", [text]) if name in ("surefire.xml", "pytest.xml") else read_results(text)


JEST = ("./sum.test.js › cart › free item", "./broken.test.js › Test suite failed to run")
NODE = Results(6, ("cart > free item", "bad"), 2, 2, ("cart > adds", "fine"))


@pytest.mark.parametrize(
    ("name", "format_", "expected"),
    [
        (
            "pytest.txt",
            "pytest",
            Results(
                17,
                (
                    "test_b.py",
                    "test_a.py::test_fix",
                    "test_a.py::test_free_item",
                    "test_a.py::test_p[c - d]",
                    "test_a.py::test_p[[e]]",
                    "test_a.py::test_p[f::g]",
                    "test_a.py::U::test_sub",
                    "test_a.py::U::test_us",
                ),
                4,
                8,
                (
                    "test_a.py::test_adds",
                    "test_a.py::test_p[a b]",
                    "test_a.py::TestC::test_m",
                    "test_a.py::U::test_ok",
                ),
            ),
        ),
        (
            "unittest_verbose.txt",
            "unittest",
            Results(6, ("unittest.loader._FailedTest.test_b", "test_a.U.test_sub", "test_a.U.test_us"), 2, 3),
        ),
        ("jest.txt", "jest", Results(6, JEST, 2, 1)),
        (
            "jest_verbose.txt",
            "jest",
            Results(
                6,
                JEST,
                2,
                1,
                (
                    "./sum.test.js › cart › adds",
                    "./sum.test.js › cart › nested › is deep",
                    "./ok.test.js › fine",
                ),
            ),
        ),
        ("vitest.txt", "vitest", Results(5, ("broken.test.js", "sum.test.js > cart > free item"), 2, 1)),
        (
            "vitest_verbose.txt",
            "vitest",
            Results(
                5,
                ("broken.test.js", "sum.test.js > cart > free item"),
                2,
                1,
                ("sum.test.js > cart > adds", "ok.test.js > fine"),
            ),
        ),
        (
            "go.txt",
            "go",
            Results(
                5,
                (
                    "example.com/shop/cart.TestTotal",
                    "example.com/shop/cart.TestTotal/free_item",
                    "example.com/shop/cart",
                    "example.com/shop/order.TestNil",
                    "example.com/shop/order",
                    "example.com/shop/ship",
                ),
                0,
                6,
                ("example.com/shop/stock", "example.com/shop/price"),
            ),
        ),
        (
            "go_verbose.txt",
            "go",
            Results(
                7,
                (
                    "example.com/shop/cart.TestTotal",
                    "example.com/shop/cart.TestTotal/free_item",
                    "example.com/shop/cart",
                ),
                1,
                3,
                (
                    "example.com/shop/cart.TestTotal/two_items",
                    "example.com/shop/stock.TestTotal",
                    "example.com/shop/stock",
                ),
            ),
        ),
        (
            "go.json",
            "go",
            Results(
                4,
                ("example.com/shop/cart.TestTotal", "example.com/shop/cart"),
                1,
                2,
                ("example.com/shop/cart.TestCount",),
            ),
        ),
        ("node_tap.txt", "tap", NODE),
        ("node_spec.txt", "node", NODE),
        (
            "node_junit.xml",
            "junit",
            Results(
                6, ("cart > test > free item", "test > bad"), 2, 2, ("cart > test > adds", "test > fine")
            ),
        ),
        ("prove.tap", "tap", Results(4, ("free item",), 2, 2, ("two items",))),
        (
            "surefire.xml",
            "junit",
            Results(
                4,
                ("com.acme.shop.CartTest > freeItem", "com.acme.shop.CartTest > count"),
                1,
                2,
                ("com.acme.shop.CartTest > addsPrices",),
            ),
        ),
    ],
)
def test_every_format_is_read_test_by_test(name, format_, expected):
    assert recorded(name) == {format_: expected}


def test_junit_of_pytest_names_the_same_tests_as_its_output():
    printed, written = recorded("pytest.txt")["pytest"], recorded("pytest.xml")["junit"]

    assert (len(printed.failed), printed.bad, len(printed.passed)) == (8, 8, 4)
    assert (len(written.failed), written.bad, len(written.passed)) == (8, 8, 4)
    assert number_of_tests({"pytest": printed, "junit": written}) == 17


def test_pytest_that_prints_no_last_line_is_read_by_names():
    output = "FAILED tests/test_x.py::test_a - KeyError: 'x'\nPASSED tests/test_x.py::test_b\n"

    expected = Results(2, ("tests/test_x.py::test_a",), 0, 1, ("tests/test_x.py::test_b",))
    assert read_results(output) == {"pytest": expected}


def test_a_go_package_whose_only_failing_test_is_mended_has_not_lost_one():
    broken = read_results("--- FAIL: TestA (0.00s)\nFAIL\nFAIL\tshop\t0.004s\n")["go"]
    mended = read_results("ok  \tshop\t0.004s\n")["go"]

    assert (broken.tests, mended.tests) == (1, 1)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("TAP version 14\n1..3\nok 1 - a\nBail out! no database\n", Results(1, (), 0, 3, ("a",))),
        ("1..0 # SKIP no network\n", None),
        ("1..2\nok 1 - same\nnot ok 2 - same\n", Results(2, ("same (2)",), 0, 1, ("same",))),
        ("1..1\nok 1 - a\n  ---\n  text: |\n    not ok 2 - quoted\n  ...\n", Results(1, (), 0, 0, ("a",))),
        ("ok 1 - no plan, no version\n", None),
    ],
)
def test_odd_tap_is_read(output, expected):
    assert read_results(output).get("tap") == expected


def test_a_report_with_entities_is_not_read():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite name="&a;"><testcase name="t"/></testsuite>'

    assert read_results("", [bomb]) == {}


def test_a_torn_report_is_not_read_and_hides_no_other():
    whole = '<testsuite name="s"><testcase name="t"/></testsuite>'

    assert read_results("", ["<testsuite", whole]) == {"junit": Results(1, (), 0, 0, ("s > t",))}


@pytest.mark.parametrize(
    "line",
    [
        "FAILED x.py::" + "[" * 200_000,
        "FAIL: " + "(" * 200_000,
        "not ok " + " #" * 100_000,
        "  ● " + " " * 200_000,
    ],
)
def test_a_hostile_line_takes_no_time(line):
    assert len(read_results(f"1..1\n{line}\nRan 1 test in 0s\n\nOK\n1 passed in 1s\n")) >= 2


CART_JS = """
const {test, describe, it} = require('node:test');
describe('cart', () => { it('adds', () => {}); it('free item', () => { throw new TypeError('x') }); });
test('later', {skip: true}, () => {});
"""
CART_PY = """
import unittest

class Cart(unittest.TestCase):
    def test_adds(self):
        '''Prices are added.'''
    def test_free_item(self):
        raise KeyError('price')
    @unittest.skip('later')
    def test_later(self):
        pass
"""


def said(command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("reporter", ["tap", "spec", "junit"])
def test_the_real_node_is_read(tmp_path, reporter):
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    (tmp_path / "cart.test.js").write_text(CART_JS)

    (results,) = read_results(said(["node", "--test", f"--test-reporter={reporter}"], tmp_path)).values()

    assert (results.tests, results.skipped, results.bad, results.is_complete) == (3, 1, 1, True)
    assert [name.rpartition(" > ")[2] for name in (*results.passed, *results.failed)] == ["adds", "free item"]


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["unittest", "-v"], "test_cart.Cart."),
        (["pytest", "-q", "-rap", "-p", "no:cacheprovider"], "test_cart.py::Cart::"),
        (["pytest", "-qq", "-rap", "-p", "no:cacheprovider"], "test_cart.py::Cart::"),
    ],
)
def test_the_real_python_runners_are_read(tmp_path, command, place):
    (tmp_path / "test_cart.py").write_text(CART_PY)

    (results,) = read_results(said([sys.executable, "-m", *command], tmp_path)).values()

    assert results.failed == (f"{place}test_free_item",)
    assert results.passed == (f"{place}test_adds",)
    assert results.bad == 1
