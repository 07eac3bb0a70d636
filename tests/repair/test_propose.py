import importlib.util
import json
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest

from aiops_core.errors import Refused
from aiops_core.records import Edit
from aiops_core.repair import propose, publish
from aiops_core.repair.propose import NOT_THE_EDITS_FAULT
from aiops_core.repository import open_mirror
from aiops_core.settings import Policy, Repository
from aiops_core.text.redaction import Redactor, placeholders

APP = """\
def total(items):
    return sum(item['price'] for item in items)


def count(items):
    return len(items)
"""
TESTS = """\
import unittest
from shop.app import count, total


class Cart(unittest.TestCase):
    def test_total(self):
        self.assertEqual(3, total([{'price': 1}, {'price': 2}]))

    def test_free_item(self):
        self.assertEqual(1, total([{'price': 1}, {}]))

    def test_count(self):
        self.assertEqual(2, count([{}, {}]))

    def test_never_worked(self):
        self.assertEqual(1, 2)
"""
FIX = Edit("replace", "shop/app.py", search="item['price']", replace="item.get('price', 0)")
RUN = f"{sys.executable} -m unittest"


@pytest.fixture
def shop(origins, tmp_path):
    files = {"shop/__init__.py": "", "shop/app.py": APP, "tests/__init__.py": "", "tests/test_app.py": TESTS}
    return origins(tmp_path / "origin", files)


@pytest.fixture
def attempt(shop, tmp_path):
    """Return a function that proposes edits against the shop."""
    log = []

    def run(
        *edits, test=RUN, setup="", sandbox="none", scratch="scratch", policy=None, originals=None, **settings
    ):
        config = Repository(url=str(shop.remote), test=test, setup=setup, sandbox=sandbox, **settings)
        mirror = open_mirror(config, tmp_path / "state")
        mirror.refresh()
        return propose(
            edits,
            mirror=mirror,
            repository=config,
            policy=policy or Policy(),
            scratch=tmp_path / scratch,
            log=log.append,
            find_secret=lambda text: "github" if "ghp_" in text else None,
            originals=originals or (lambda text: {}),
        )

    run.log = log
    run.shop = shop
    return run


def refusal(attempt, *edits, **settings):
    with pytest.raises(Refused) as caught:
        attempt(*edits, **settings)
    return caught.value


def edit(search, replace):
    return Edit("replace", "shop/app.py", search=search, replace=replace)


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


@pytest.mark.parametrize(
    ("trick", "rule"),
    [
        (
            Edit("replace", "tests/test_app.py", search="self.assertEqual(1, 2)", replace="pass"),
            "tests-weakened",
        ),
        (Edit("delete", "tests/test_app.py"), "tests-weakened"),
        (Edit("create", "tests/conftest.py", replace="x = 1\n"), "tests-weakened"),
        (Edit("create", "sitecustomize.py", replace="x = 1\n"), "protected-path"),
        (Edit("create", "unittest.py", replace="x = 1\n"), "tests-weakened"),
        (Edit("create", ".github/workflows/x.yml", replace="on: push\n"), "protected-path"),
        (Edit("rename", "shop/app.py", to=".husky/pre-push"), "protected-path"),
        (edit("def total", "import os\nos._exit(0)\n\n\ndef total"), "tests-weakened"),
        (
            edit("def total", "import unittest\nunittest.TestCase.run = print\n\n\ndef total"),
            "tests-weakened",
        ),
        (edit("def total", "KEY = 'ghp_0123456789'\n\n\ndef total"), "secret"),
        (edit("def total", "# \u202e evil\ndef total"), "invisible-characters"),
        (Edit("replace", "../shop/app.py", search="a", replace="b"), "path-unsafe"),
        (edit("no such text", "x"), "search"),
    ],
)
def test_r7_a_trick_is_refused_before_anything_runs(attempt, trick, rule):
    error = refusal(attempt, FIX, trick)

    assert error.rule == rule
    assert not any(line.startswith("tests") for line in attempt.log)


@pytest.mark.parametrize(
    "trick",
    [
        edit("def total", "import sys\nsys.exit('done')\n\n\ndef total"),
        edit("def total", "raise vars(__import__('unit' + 'test'))['Skip' + 'Test']('no')\n\n\ndef total"),
        edit("def count", "def counted"),
    ],
)
def test_r7_a_trick_nobody_listed_is_seen_in_the_numbers(attempt, trick):
    assert refusal(attempt, FIX, trick).rule == "tests"


def test_r7_a_new_test_that_covers_up_a_regression_hides_nothing(attempt):
    cover = "import unittest\nimport shop.app\n\nshop.app.count = len\n"

    error = refusal(attempt, FIX, edit("len(items)", "0"), Edit("create", "tests/test_a.py", replace=cover))

    assert "newly failing: tests.test_app.Cart.test_count" in str(error)


@pytest.mark.parametrize("deed", ["unlink()", 'write_text("")'])
def test_r7_tests_that_change_or_vanish_while_they_run_are_seen(attempt, deed):
    rewrites = "import pathlib\nfor test in pathlib.Path('tests').glob('test_*.py'):\n    test."

    error = refusal(attempt, FIX, edit("def total", f"{rewrites}{deed}\n\n\ndef total"))

    assert (error.rule, str(error)) == (
        "tests-weakened",
        "tests: tests/test_app.py changed or vanished while the tests ran. "
        "Propose a fix that leaves the tests alone.",
    )


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


def test_a_path_that_was_mapped_is_noted(attempt):
    polluted = Edit("replace", "/app/app.py", search="item['price']", replace="item.get('price', 0)")

    change = attempt(polluted, test="", paths={"/app/": "shop/"})

    assert change.notes[0] == "/app/app.py was taken to mean shop/app.py"


def test_s20_a_fix_that_prints_without_end_is_refused_for_that(attempt):
    endless = edit("    return len(items)", "    while True:\n        print('x' * 10_000)")

    error = refusal(attempt, endless)

    assert str(error).startswith("tests: 4 tests ran before, and none reports now.")
    assert str(error).endswith("stopped: it printed more than 64 MB\n")


def test_s22_dependencies_come_with_network_from_the_base_and_tests_run_without(attempt, shop, bubblewrap):
    shop.commit({"requirements.txt": "helper==1.0\n"})

    change = attempt(
        FIX,
        sandbox="bubblewrap",
        setup="cat requirements.txt > ~/installed; grep -c : /proc/net/dev > ~/interfaces",
        test=f"cat ~/installed; echo lent $(cat ~/interfaces), left $(grep -c : /proc/net/dev); {RUN}",
    )

    lent = Path("/proc/net/dev").read_text().count(":")
    assert change.after.output.startswith(f"helper==1.0\nlent {lent}, left 1\n")


@pytest.mark.parametrize(("path", "rule"), [("poetry.lock", "lock-file"), ("pip.conf", "protected-path")])
def test_s22_what_pins_and_fetches_dependencies_is_nobodys_to_propose(attempt, path, rule):
    error = refusal(attempt, FIX, Edit("create", path, replace="evil==1.0\n"))

    assert error.rule == rule
    assert not any(line.startswith(("tests", "setup")) for line in attempt.log)


@pytest.mark.parametrize("path", ["requirements.txt", "setup.cfg", "package.json"])
def test_s22_s34_what_names_dependencies_is_asked_about_and_no_test_sees_it(attempt, path):
    seen = f"test ! -e {path} && "

    change = attempt(FIX, Edit("create", path, replace="evil==1.0\n"), test=seen + RUN)

    assert change.asks == (("new-dependency", f"it changes {path}, which names dependencies"),)
    assert [file.path for file in change.files] == sorted([path, "shop/app.py"])
    assert f"not verified: the tests ran without the change of {path}" in change.notes[0]
    assert change.after.tests == 4


def test_s34_an_import_that_a_changed_manifest_names_is_left_to_the_person_asked(attempt):
    lazy = Edit("create", "shop/fast.py", replace="import evil\n")

    change = attempt(FIX, lazy, Edit("create", "requirements.txt", replace="evil==1.0\n"))
    error = refusal(attempt, FIX, lazy)

    assert [question for question, _ in change.asks] == ["new-dependency"]
    assert error.rule == "new-dependency"


def test_r17_deletes_and_renames_are_tested_and_asked_about(attempt, shop):
    shop.commit({"shop/old.py": "x = 1\n", "shop/spare.py": "y = 2\n"})
    moved = [Edit("rename", "shop/old.py", to="shop/kept.py"), Edit("delete", "shop/spare.py")]

    change = attempt(FIX, *moved, test=f"{RUN}; ls shop")

    assert change.asks == (
        ("rename", "it renames shop/old.py to shop/kept.py"),
        ("delete", "it deletes shop/spare.py"),
    )
    assert "old.py" in change.before.output and "old.py" not in change.after.output
    assert "kept.py" in change.after.output and "spare.py" not in change.after.output


def test_s22_setup_runs_once_on_the_base_and_its_products_reach_every_run(attempt, tmp_path):
    count = tmp_path / "count"
    setup = f"echo x >> {count}; echo made > made; echo kept > ~/kept; cat shop/app.py > seen"
    test = (
        "grep -q made made && grep -q kept ~/kept && ! grep -q get seen && test ! -e left; touch left ~/left; "
        + RUN
    )

    first = attempt(FIX, setup=setup, test=f"{test}; test ! -e ~/left2")
    attempt(FIX, setup=setup, test=f"{test}; test ! -e ~/left2")

    assert count.read_text() == "x\n"
    assert first.after.passed


def test_a_later_round_on_the_same_commit_reuses_the_baseline(attempt, shop):
    refusal(attempt, edit("len(items)", "0"))
    runs = sum(line == f"tests before the change: {RUN}" for line in attempt.log)
    attempt.log.clear()

    attempt(FIX)
    assert f"tests before the change: {RUN}" not in attempt.log
    assert runs >= 1
    shop.commit({"README.md": "new\n"})
    attempt(FIX)

    assert f"tests before the change: {RUN}" in attempt.log


def test_s21_what_the_tests_write_never_reaches_the_change(attempt):
    vandal = (
        "for f in shop/app.py .git/config .git/hooks/pre-commit; do mkdir -p $(dirname $f); echo evil >> $f; done; "
        + RUN
    )

    change = attempt(FIX, test=f"sh -c '{vandal}' || true")

    assert [file.path for file in change.files] == ["shop/app.py"]
    assert b"evil" not in change.files[0].content
    assert "evil" not in change.diff


def test_r1_s21_what_tests_plant_for_git_never_runs(attempt, shop, tmp_path):
    marker, plant = tmp_path / "planted", tmp_path / "plant.sh"
    plant.write_text(
        f"""for hook in pre-commit pre-push post-checkout post-index-change reference-transaction; do
  mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch {marker}\\n' > .git/hooks/$hook; chmod +x .git/hooks/$hook
done
for key in core.fsmonitor core.sshCommand core.pager diff.external filter.x.clean filter.x.smudge; do
  git config $key 'touch {marker}'
done
echo '* filter=x diff=x' > .gitattributes
ln -s /etc shop/escape
{RUN}
"""
    )

    change = attempt(FIX, test=f"sh {plant}")
    config = Repository(url=str(shop.remote))
    places = {"mirrors": tmp_path / "mirrors", "scratch": tmp_path / "push"}
    published = publish(change, branch="fix/x-1", message="fix: x\n", repository=config, **places)

    assert not marker.exists()
    listed = shop.on_remote("diff", "--name-only", change.base_commit, published.commit)
    assert listed == "shop/app.py"


@pytest.mark.full
def test_s22_packages_of_the_setup_are_there_in_the_tests_and_nowhere_else(
    attempt, shop, bubblewrap, tmp_path
):
    with zipfile.ZipFile(shop.path / "helper-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("helper.py", "ANSWER = 42\n")
        wheel.writestr("helper-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: helper\nVersion: 1.0\n")
        wheel.writestr(
            "helper-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("helper-1.0.dist-info/RECORD", "")
    shop.commit_all()

    change = attempt(
        FIX,
        sandbox="bubblewrap",
        setup="pip install --no-index --quiet ./helper-1.0-py3-none-any.whl",
        test=f"python3 -c 'import helper; print(helper.__file__)' && {RUN}",
    )

    assert change.after.output.startswith("/aiops/home/.venv/lib/")
    assert importlib.util.find_spec("helper") is None


def test_a_failing_setup_is_nothing_the_edits_could_mend(attempt):
    error = refusal(attempt, FIX, setup="exit 1")

    assert error.rule == "setup"
    assert error.rule in NOT_THE_EDITS_FAULT


def test_s19_a_sandbox_that_does_not_work_is_refused_and_nothing_runs(attempt, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/bwrap").write_text("#!/bin/sh\necho 'bwrap: no' >&2; exit 1\n")
    (tmp_path / "bin/bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    error = refusal(attempt, FIX, sandbox="bubblewrap")

    assert (error.rule, error.setting) == ("sandbox", "repository.sandbox")
    assert len(attempt.log) == 1


def test_the_work_directory_is_cleared_and_a_killed_round_leaves_no_trouble(attempt, tmp_path):
    left = tmp_path / "scratch/run/work"
    left.mkdir(parents=True)
    (left / "junk").write_text("x")
    (tmp_path / "scratch/base-000000000000").mkdir()

    attempt(FIX)

    names = [path.name for path in (tmp_path / "scratch").iterdir()]
    assert len(names) == 1 and names[0].startswith("base-") and names[0] != "base-000000000000"
    record = json.loads((tmp_path / "scratch" / names[0] / "before.json").read_text())
    assert record["run"]["tests"] == 4


TOKEN = "ghp_" + "a1B2" * 9
SECRETIVE = f'TOKEN = "{TOKEN}"\nRETRIES = 1\n\n\ndef client():\n    return connect("{TOKEN}")\n'


@pytest.fixture
def seen(attempt, shop):
    """Return what a model is shown of a file that holds a secret, and a function that proposes edits of it."""
    shop.commit({"shop/client.py": SECRETIVE})
    redactor = Redactor()

    def run(search, replace, path="shop/client.py"):
        edit = Edit("replace", path, search=search, replace=replace)
        return attempt(edit, test="", originals=partial(redactor.originals, code=True))

    return redactor.redact(SECRETIVE, code=True), run


def test_s10_a_quoted_placeholder_is_the_files_own_text(seen):
    shown, run = seen
    first, second, *_ = shown.split("\n")

    change = run(f"{first}\n{second}\n", f"{first}\nRETRIES = 3\n")

    assert TOKEN not in shown
    assert change.files[0].content.decode() == SECRETIVE.replace("RETRIES = 1", "RETRIES = 3")


def test_s10_a_changed_line_keeps_the_secret_it_had(seen):
    shown, run = seen
    line = shown.split("\n")[5]

    change = run(line, line.replace(")", ", retries=3)"), path="wherever/shop/client.py")

    assert f'connect("{TOKEN}", retries=3)' in change.files[0].content.decode()


def test_s10_a_placeholder_that_stands_for_nothing_is_refused(seen):
    shown, run = seen
    placeholder = next(iter(placeholders(shown)))

    for search, replace in [
        ("x = '[redacted:github-token:00000000]'", "x = 1"),
        ("RETRIES = 1", f"RETRIES = '{placeholder}'"),
    ]:
        with pytest.raises(Refused) as caught:
            run(search, replace)
        assert caught.value.rule == "redacted"
        assert str(caught.value) == (
            "shop/client.py: the edit holds a redaction placeholder that stands for nothing there. "
            "Quote lines without one."
        )


def test_s11_a_secret_the_fix_adds_is_refused_even_beside_one_that_was_there(seen):
    shown, run = seen
    line = shown.split("\n")[5]

    with pytest.raises(Refused) as caught:
        run(line, line.replace(")", ', "ghp_' + "Z9y8" * 9 + '")'))

    assert caught.value.rule == "secret"


def test_crlf_files_and_modes_come_through(attempt, shop):
    (shop.path / "tool").write_bytes(b"#!/bin/sh\r\necho 1\r\n")
    (shop.path / "tool").chmod(0o755)
    shop.commit_all()

    change = attempt(Edit("replace", "tool", search="echo 1\n", replace="echo 2\n"), test="")

    (file,) = change.files
    assert (file.content, file.mode) == (b"#!/bin/sh\r\necho 2\r\n", "100755")
