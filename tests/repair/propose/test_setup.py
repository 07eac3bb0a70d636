"""Where dependencies come from, what changes them, and what deletes and renames (R17, S22, S34)."""

import importlib.util
import zipfile
from pathlib import Path

import pytest
from propose_scene import FIX, RUN, refusal

from aiops_core.records import Edit
from aiops_core.repair.proposing import NOT_THE_EDITS_FAULT


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
