import pytest

from aiops_core.errors import Refused
from aiops_core.repair.layout import is_test
from aiops_core.repair.protected import check_path
from aiops_core.repair.weakening import check_weakening

DENIED = {
    "protected-path": [
        ".gitmodules",
        ".gitattributes",
        "src/.gitattributes",
        ".github/workflows/ci.yml",
        ".GitHub/workflows/ci.yml",
        "sub/.github/CODEOWNERS",
        "CODEOWNERS",
        "docs/CODEOWNERS",
        ".gitlab-ci.yml",
        ".gitlab/merge.md",
        ".circleci/config.yml",
        "Jenkinsfile",
        "Jenkinsfile.release",
        "azure-pipelines.yml",
        ".husky/pre-commit",
        ".pre-commit-config.yaml",
        ".claude/settings.json",
        "CLAUDE.md",
        "service/AGENTS.md",
        ".mcp.json",
        ".cursor/rules",
        ".vscode/tasks.json",
        ".devcontainer/devcontainer.json",
        ".npmrc",
        "pip.conf",
        "src/evil.pth",
        "src/sitecustomize.py",
        "usercustomize.py",
        ".envrc",
    ],
    "lock-file": [
        "poetry.lock",
        "uv.lock",
        "Cargo.lock",
        "package-lock.json",
        "web/pnpm-lock.yaml",
        "go.sum",
        "bun.lockb",
    ],
    "tests-weakened": [
        "conftest.py",
        "tests/conftest.py",
        "pytest.ini",
        "tox.ini",
        "jest.config.js",
        "unittest/__init__.py",
        "pytest.py",
    ],
}


@pytest.mark.parametrize(("rule", "path"), [(rule, path) for rule, paths in DENIED.items() for path in paths])
@pytest.mark.parametrize("is_there", [True, False])
def test_r14_s30_a_protected_path_is_refused_by_name(rule, path, is_there, manifest):
    with pytest.raises(Refused) as caught:
        check_path(path, files=manifest(path) if is_there else {})

    assert caught.value.rule == rule
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    "path",
    [
        "src/app.py",
        "github/client.py",
        "src/lockers.py",
        "docs/claude.txt",
        "src/setup_shop.py",
        "a.python",
        "src/docker.py",
    ],
)
def test_ordinary_code_may_be_changed(path, manifest):
    check_path(path, files=manifest(path))
    check_path(path, files={})


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_app.py",
        "tests/data/order.json",
        "src/app_test.go",
        "src/test/java/com/acme/OrderTest.java",
        "com/acme/OrderServiceIT.java",
        "web/cart.test.ts",
        "web/__tests__/cart.js",
        "spec/order_spec.rb",
        "shop/tests.py",
        "web/__snapshots__/cart.snap",
        "cart/testdata/golden.txt",
        "src/tests.rs",
    ],
)
def test_r7_an_existing_test_is_the_oracle_and_a_new_one_is_welcome(path, manifest):
    assert is_test(path)
    with pytest.raises(Refused) as caught:
        check_path(path, files=manifest(path))
    assert caught.value.rule == "tests-weakened"
    check_path(path, files={})


@pytest.mark.parametrize(
    "path", ["src/latest.py", "src/contest.py", "attestation.go", "src/testing.py", "Manifest.java"]
)
def test_names_that_only_sound_like_tests_are_code(path):
    assert not is_test(path)


def test_r7_what_the_test_command_runs_is_not_changed(manifest):
    files = manifest("ci/run.sh", "Makefile", "tools/other.sh")

    for path, command in [("ci/run.sh", "./ci/run.sh --all"), ("Makefile", "cd . && make test")]:
        with pytest.raises(Refused) as caught:
            check_path(path, files=files, commands=[command])
        assert caught.value.rule == "tests-weakened"
    check_path("tools/other.sh", files=files, commands=["./ci/run.sh"])


def test_s31_s32_symlinks_and_submodules_are_no_files(manifest):
    files = manifest(links=["link"], submodules=["lib"])

    for path, rule in [
        ("link", "symlink"),
        ("lib", "submodule"),
        ("link/x", "symlink"),
        ("lib/x", "submodule"),
    ]:
        with pytest.raises(Refused) as caught:
            check_path(path, files=files)
        assert caught.value.rule == rule


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
    ],
)
def test_r7_ways_to_skip_are_known_in_every_language(path, added):
    with pytest.raises(Refused) as caught:
        check_weakening(path, "x = 1\n", f"x = 1\n{added}\n")

    assert caught.value.rule == "tests-weakened"


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("run_tests.py", "python3 run_tests.py -v"),
        ("tools/check.js", "CI=1 node --no-warnings ./tools/check.js && true"),
        ("web/verify.mjs", "cd web && node verify.mjs"),
        ("bin/test", "bin/test"),
    ],
)
def test_r7_the_program_that_runs_the_tests_is_not_a_fixs_to_change(path, command, manifest):
    files = manifest(path, "shop/app.py")

    with pytest.raises(Refused) as caught:
        check_path(path, files=files, commands=[command])

    assert caught.value.rule == "tests-weakened"
    check_path(path, files=files, commands=["pytest -q", f"echo {path}"])
    check_path("shop/app.py", files=files, commands=["python3 shop/app.py", "pytest shop/app.py"])


@pytest.mark.parametrize("path", ["json.py", "src/decimal.py", "random/__init__.py", "tests/socket.py"])
def test_r7_no_new_file_takes_the_place_of_a_module_of_python(path, manifest):
    with pytest.raises(Refused) as caught:
        check_path(path, files=manifest("tests/test_a.py"))

    assert caught.value.rule == "tests-weakened"
    assert "Python would take it for its own module" in str(caught.value)


@pytest.mark.parametrize(
    "path", ["shop/types.py", "src/shop/logging.py", "json.js", "prices.py", "tests/test_json.py"]
)
def test_a_module_in_a_package_may_be_named_like_one_of_python(path, manifest):
    check_path(path, files=manifest("tests/test_a.py"))


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
    ],
)
def test_ordinary_code_is_no_trick(added):
    check_weakening("src/app.py", "", added)
