"""A release: one version for every distribution, and a changelog of what its fragments say."""

import shutil
import subprocess
import sys

import pytest
from shown import ROOT

FILES = ("pyproject.toml", "CHANGELOG.md", "changes", "scripts", "plugins")


@pytest.fixture
def tree(tmp_path):
    """Copy what a version is written into, without the changes of this tree."""
    for name in FILES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, tmp_path / name, ignore=lambda folder, names: _not_needed(folder, names)
            )
        else:
            shutil.copy(ROOT / name, tmp_path)
    for path in (tmp_path / "changes").glob("*.*.*.md"):
        path.unlink()
    return tmp_path


def _not_needed(folder, names):
    is_plugin = "/plugins/" in f"{folder}/" and folder.count("/") - str(ROOT).count("/") >= 3
    return [name for name in names if name == "__pycache__" or (is_plugin and name != "pyproject.toml")]


def script(tree, name, *arguments):
    return subprocess.run(
        [sys.executable, f"scripts/{name}.py", *arguments], cwd=tree, capture_output=True, text=True
    )


def versions(tree):
    files = [tree / "pyproject.toml", *tree.glob("plugins/*/*/pyproject.toml")]
    return [line for file in files for line in file.read_text().splitlines() if line.startswith("version = ")]


def test_every_distribution_has_the_same_version():
    found = versions(ROOT)

    assert len(found) > 7
    assert len(set(found)) == 1


def test_what_changed_in_this_tree_is_named_so_that_it_finds_its_place(tree):
    shutil.copytree(ROOT / "changes", tree / "changes", dirs_exist_ok=True)

    done = script(tree, "version", "9.8.7")

    assert done.returncode == 0, done.stderr


def test_a_version_is_written_everywhere_and_collects_what_changed(tree):
    (tree / "changes" / "aiops-core.fixed.a.md").write_text("A is\nmended.\n")
    (tree / "changes" / "aiops-core.security.b.md").write_text("B is closed.\n")
    (tree / "changes" / "aiops-plugin-gitlab.added.c.md").write_text("C is new.\n")

    done = script(tree, "version", "9.8.7")

    assert (done.returncode, set(versions(tree))) == (0, {'version = "9.8.7"'})
    assert (
        "## 9.8.7\n\n### aiops-core\n\n- Security: B is closed.\n- Fixed: A is mended.\n\n"
        "### aiops-plugin-gitlab\n\n- Added: C is new.\n\n## 0.1.0\n"
    ) in (tree / "CHANGELOG.md").read_text()
    assert [path.name for path in (tree / "changes").iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    "name", ["aiops-core.mended.a.md", "aiops-cor.fixed.a.md", "aiops-core.fixed.md", "a.md"]
)
def test_a_change_that_is_named_wrongly_is_told_and_nothing_is_written(tree, name):
    (tree / "changes" / name).write_text("A is mended.\n")
    before = versions(tree)

    done = script(tree, "version", "9.8.7")

    assert (done.returncode, versions(tree)) == (2, before)
    assert done.stderr == f"changes/{name}: see changes/README.md for the name, and write a sentence\n"


@pytest.mark.parametrize("version", [(), ("next",)])
def test_what_is_no_version_is_told(tree, version):
    done = script(tree, "version", *version)

    assert done.returncode == 2
    assert done.stderr == "version: no version. Write it as in: make version VERSION=0.2.0\n"


def test_an_audit_without_a_release_says_what_to_run(tree):
    done = script(tree, "release", "--audit")

    assert done.returncode == 1
    assert done.stderr == "audit: no dist/sbom.cdx.json. Run 'make release' first\n"
