"""Tricks that let tests pass without making the program right are refused; ordinary code is not."""

import pytest

from aiops_core.errors import Refused
from aiops_core.repair.weakening import check_weakening


@pytest.mark.parametrize(
    ("rule", "path", "added"),
    [
        ("tests-weakened", "tests/test_new.py", "@unittest.skip('later')\ndef test_x(self): ..."),
        ("tests-weakened", "tests/test_new.py", "@pytest.mark.xfail\ndef test_x(): ..."),
        ("tests-weakened", "tests/test_new.py", "    self.skipTest('no')"),
        ("tests-weakened", "tests/test_new.py", "unittest.TestCase.run = lambda *a: None"),
        ("tests-weakened", "src/app.py", "import unittest"),
        ("tests-weakened", "src/app.py", "    from _pytest import runner"),
        ("tests-weakened", "src/app.py", "sys.modules['unittest'] = fake"),
        ("tests-weakened", "src/app.py", "    os._exit(0)"),
        ("tests-weakened", "src/app.py", "    sys.exit(0)"),
        ("tests-weakened", "src/app.py", "    sys.exit()"),
        ("tests-weakened", "src/app.py", "raise SystemExit(0)"),
        ("tests-weakened", "web/a.test.ts", "it.skip('x', () => {})"),
        ("tests-weakened", "src/a_test.go", "\tt.Skip()"),
        ("tests-weakened", "src/ATest.java", "  @Disabled"),
        ("error-swallowed", "src/app.py", "    except:\n        pass"),
        ("error-swallowed", "src/app.py", "    except Exception as error:  # never mind\n        pass"),
        ("error-swallowed", "src/app.py", "    except BaseException: ..."),
        ("error-swallowed", "src/app.py", "with contextlib.suppress(Exception):"),
        ("error-swallowed", "src/A.java", "} catch (Exception e) { }"),
        ("error-swallowed", "src/a.js", "try { f() } catch {}"),
        ("error-swallowed", "src/app.py", "try:\n    f()\nexcept Exception:\n    x = None"),
        (
            "error-swallowed",
            "src/app.py",
            "try:\n    f()\nexcept (KeyError, Exception) as error:\n    x = dict()",
        ),
        ("error-swallowed", "src/app.py", "def f():\n    try:\n        g()\n    finally:\n        return 0"),
        ("error-swallowed", "src/a.js", "try { f() } catch (error) {\n  // never mind\n}"),
        ("error-swallowed", "src/a.js", "f().catch(() => {})"),
        ("error-swallowed", "src/A.java", "} catch (final Exception e) { return 0; }"),
        ("error-swallowed", "src/a.go", "\tdefer func() { recover() }()"),
        ("tests-weakened", "src/app.py", "builtins.AssertionError = Quiet"),
        ("tests-weakened", "src/a.js", "assert.strictEqual = () => {}"),
        ("tests-weakened", "src/app.py", "if 'PYTEST_CURRENT_TEST' in os.environ:\n    x = 2"),
        ("tests-weakened", "src/app.py", "fast = 'unittest' in sys.modules"),
        ("tests-weakened", "src/A.java", "Runtime.getRuntime().halt(0);"),
        ("checks-silenced", "src/app.py", "x = f()  # type: ignore[arg-type]"),
        ("checks-silenced", "src/a.ts", "// @ts-nocheck"),
        ("checks-silenced", "src/app.py", "x = 1  # noqa: E501"),
        ("checks-silenced", "src/a.js", "// eslint-disable-next-line"),
    ],
)
def test_r7_a_trick_is_refused_and_what_was_there_before_is_not(rule, path, added):
    before = "x = 1\n"

    with pytest.raises(Refused) as caught:
        check_weakening(path, before, f"{before}{added}\n")

    assert caught.value.rule == rule
    check_weakening(path, f"{added}\n{before}", f"{before}{added}\n")


@pytest.mark.parametrize(
    ("path", "added"),
    [
        ("web/a.test.ts", "describe.concurrent.skip('x', () => {})"),
        ("web/a.test.ts", "it('x', { skip: true }, () => {})"),
        ("web/a.test.ts", "it('x', (t) => { t.skip('no') })"),
        ("web/a.test.ts", "test.failing('x', () => {})"),
        ("src/ATest.java", '  @EnabledIf("never")'),
        ("src/ATest.java", "  assumeTrue(false);"),
        ("src/ATest.java", "  @Test(enabled = false)"),
        ("src/a_test.go", "//go:build never"),
        ("tests/test_new.py", "__test__ = False"),
        ("tests/__init__.py", "def load_tests(loader, tests, pattern): return None"),
        ("tests/test_new.py", "from unittest import expectedFailure as known"),
        ("tests/test_new.py", "@mark.skip"),
        ("tests/test_new.py", "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.xfail)])"),
        ("tests/plugin.py", "def pytest_collection_modifyitems(items):\n    items.clear()"),
        ("web/a.test.ts", "it['skip']('x', () => {})"),
        ("web/a.test.ts", "fdescribe('x', () => {})"),
    ],
)
def test_r7_ways_to_skip_are_known_in_every_language(path, added):
    with pytest.raises(Refused) as caught:
        check_weakening(path, "x = 1\n", f"x = 1\n{added}\n")

    assert caught.value.rule == "tests-weakened"


RUST = """\
pub fn total(prices: &[Option<u32>]) -> u32 { prices.iter().map(|p| p.unwrap()).sum() }

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::total(&[Some(1), Some(2)]), 3);
    }
}
"""
DOCTEST = """\
def total(items):
    \'\'\'Add prices.

    >>> total([1, 2])
    3
    \'\'\'
    return sum(items)
"""


NEW_RUST_TEST = "#[test]\n    fn adds_nothing() {\n        assert_eq!(super::total(&[]), 0);\n    }"
VITEST = """\
export const total = (items) => items.length

if (import.meta.vitest) {
  const { expect, it } = import.meta.vitest
  it('counts', () => {
    expect(total([1])).toBe(1)
  })
}
"""
PING = "def test_connection(\n    database,\n):\n    return database.ping()\n"


@pytest.mark.parametrize(
    ("path", "before", "old", "new"),
    [
        ("src/lib.rs", RUST, "), 3)", "), 4)"),
        ("src/lib.rs", RUST, "        assert_eq!(super::total(&[Some(1), Some(2)]), 3);\n", ""),
        ("src/lib.rs", RUST, "    #[test]\n", ""),
        ("src/lib.rs", RUST, "#[cfg(test)]\n", "#[cfg(never)]\n"),
        ("src/lib.rs", RUST, "fn adds() {\n", "fn adds() {\n        return;\n"),
        ("web/total.ts", VITEST, "toBe(1)", "toBe(2)"),
        ("shop/total.py", DOCTEST, "    3\n", "    4\n"),
        ("shop/total.py", DOCTEST, "    >>> total([1, 2])\n    3\n", ""),
        ("shop/total.py", "def test_total():\n    assert f() == 1\n", "== 1", "!= 1"),
    ],
)
def test_r7_tests_inside_program_files_are_neither_emptied_nor_changed(path, before, old, new):
    assert old in before

    with pytest.raises(Refused) as caught:
        check_weakening(path, before, before.replace(old, new))

    assert caught.value.rule == "tests-weakened"


def test_the_code_beside_tests_inside_a_file_may_be_mended():
    check_weakening("src/lib.rs", RUST, RUST.replace("p.unwrap()", "p.unwrap_or(0)"))
    check_weakening("shop/total.py", DOCTEST, DOCTEST.replace("sum(items)", "sum(items or ())"))
    check_weakening(
        "src/lib.rs", RUST, RUST.replace("    #[test]\n", f"    {NEW_RUST_TEST}\n\n    #[test]\n")
    )
    check_weakening("src/lib.rs", "assert!(a > 0);\n" + RUST, RUST)
    check_weakening("shop/app.py", "assert items\nx = 1\n", "x = 1\n")
    check_weakening("shop/db.py", PING, PING.replace("ping()", "ping(1)"))


@pytest.mark.parametrize(
    "added",
    [
        "    except KeyError:\n        return 0",
        "    except Exception as error:\n        raise OrderError from error",
        "    sys.exit(1)",
        "price = item.get('price', 0)",
        "def skip(self): return self.rest",
        "this.cursor.skipped = true;",
        "options = { limit: 3, skip: false };",
        "orders.pending()",
        "const page = await db.orders({ take: 5, skip: 10, only: fields });",
        "feature.enabled = false;",
        "this.skip(token);",
        "context.only(1)",
        "model.fit(rows)",
        "try:\n    f()\nexcept Exception:\n    log.exception('it failed')",
        "try:\n    f()\nexcept Exception as error:\n    failed = error",
        "try:\n    f()\nexcept (KeyError, ValueError):\n    x = None",
        "f().catch((error) => report(error))",
        "} catch (NumberFormatException e) { return 0; }",
        "process.on('unhandledRejection', (error) => { log(error); });",
        "self.assert_count = 1",
    ],
)
def test_ordinary_code_is_no_trick(added):
    check_weakening("src/app.py", "", added)


def test_a_test_may_hand_over_what_no_type_allows():
    check_weakening("tests/test_app.py", "", "total(None)  # type: ignore[arg-type]")
    check_weakening("web/a.test.ts", "", "// @ts-expect-error\ntotal(undefined)")
