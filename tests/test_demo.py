"""The demo, as a newcomer runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

AIOPS = Path(sys.executable).parent / "aiops"


def play(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AIOPS, "demo", *arguments],
        cwd=directory,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
    )


def git(repository: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", repository, *arguments], capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo")
    return directory / "demo-output", play(directory)


def fix_branch(stage: Path) -> str:
    return git(stage / "checkout.git", "branch", "--list", "--format=%(refname:short)", "fix/*").strip()


def test_the_demo_ends_by_itself_with_a_fix_branch_on_the_remote(played):
    stage, done = played

    assert done.returncode == 0, done.stderr
    assert fix_branch(stage).startswith("fix/attribute-error-")


def test_the_branch_contains_the_fix_and_a_test_for_it(played):
    stage, _ = played

    changed = git(stage / "checkout.git", "diff", "--name-only", f"main...{fix_branch(stage)}").split()
    fixed = git(stage / "checkout.git", "show", f"{fix_branch(stage)}:app/coupons.py")

    assert changed == ["app/coupons.py", "tests/test_no_coupon.py"]
    assert '(order["coupon"] or "").strip()' in fixed


def test_the_new_test_fails_without_the_fix_and_passes_with_it(played, tmp_path):
    stage, _ = played
    git(
        stage,
        "clone",
        "--quiet",
        "--branch",
        fix_branch(stage),
        str(stage / "checkout.git"),
        str(tmp_path / "fixed"),
    )
    command = [sys.executable, "-m", "unittest"]

    with_fix = subprocess.run(command, cwd=tmp_path / "fixed", capture_output=True, text=True)
    git(tmp_path / "fixed", "checkout", "--quiet", "origin/main", "--", "app")
    without = subprocess.run(command, cwd=tmp_path / "fixed", capture_output=True, text=True)

    assert with_fix.returncode == 0, with_fix.stderr
    assert "Ran 5 tests" in with_fix.stderr
    assert "FAILED (errors=1)" in without.stderr


def test_it_says_what_happened_and_where_things_are(played):
    stage, done = played

    for text in (
        "the analysis is a recorded answer, no model is asked",
        "tests run ",
        "tests before: 4 passed, after: 5 passed",
        "3 events are one incident",
        "branch   fix/attribute-error-",
        "incidents show 1 --file demo-output/pipeline.yaml",
    ):
        assert text in done.stdout
    assert [path.suffix for path in (stage / "reports").iterdir()] == [".html"]


def test_a_directory_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("kept")

    refused = play(tmp_path, "--directory", "mine")

    assert refused.returncode == 2
    assert refused.stderr == "mine: not empty, and no demo made it. Name another --directory\n"
    assert (tmp_path / "mine" / "file").read_text() == "kept"


@pytest.mark.parametrize("directory", ["/proc/x", "file/below"])
def test_a_directory_that_cannot_be_made_is_named(tmp_path, directory):
    (tmp_path / "file").write_text("")

    refused = play(tmp_path, "--directory", directory)

    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{directory}: cannot be written (")
    assert refused.stderr.endswith("). Name another --directory\n")
    assert refused.stderr.count("\n") == 1


def test_a_second_run_replaces_the_first(played):
    stage, _ = played

    again = play(stage.parent)

    assert again.returncode == 0, again.stderr
    assert "branch   fix/attribute-error-" in again.stdout
