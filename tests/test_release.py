"""A release: one version for every distribution, and a changelog of what its fragments say."""

import importlib.util
import json
import os
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


PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "NAME"
version = "9.8.7"
description = "One part."
readme = "README.md"
requires-python = ">=3.11"
dependencies = [DEPENDS]

[project.entry-points."aiops.detectors"]
part = "PACKAGE:Part"
"""


def part(folder, name, depends="", text="class Part: ...\n"):
    package = name.replace("-", "_")
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text(text)
    (folder / "README.md").write_text("# One part\n")
    project = PROJECT.replace("NAME", name).replace("DEPENDS", depends).replace("PACKAGE", package)
    (folder / "pyproject.toml").write_text(project)


def release(tree, *arguments, **environment):
    command = [sys.executable, "scripts/release.py", *arguments]
    environment = {**os.environ, "PIP_NO_INDEX": "1", **environment}
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, env=environment)


@pytest.fixture
def small(tmp_path):
    """Write a tree of two distributions that need nothing else."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    part(tmp_path, "aiops-core")
    part(tmp_path / "plugins" / "detectors" / "part", "aiops-plugin-part", '"aiops-core"')
    return tmp_path


@pytest.mark.full
def test_a_release_holds_both_forms_of_each_distribution_and_a_bill_of_materials(small):
    if missing := [name for name in ("build", "twine", "cyclonedx_py") if not importlib.util.find_spec(name)]:
        pytest.skip(f"make release installs {', '.join(missing)}")

    done = release(small)

    dist = small / "dist"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"{dist}: 4 files and a bill of materials"
    assert "aiops-plugin-part 9.8.7: 1 components imported\n" in done.stdout
    assert sorted(path.name for path in dist.iterdir()) == [
        "aiops_core-9.8.7-py3-none-any.whl",
        "aiops_core-9.8.7.tar.gz",
        "aiops_plugin_part-9.8.7-py3-none-any.whl",
        "aiops_plugin_part-9.8.7.tar.gz",
        "sbom.cdx.json",
    ]
    bill = json.loads((dist / "sbom.cdx.json").read_text())
    assert bill["metadata"]["component"]["name"] == "aiops-core"
    assert "aiops-plugin-part" in {each["name"] for each in bill["components"]}


@pytest.mark.full
def test_a_distribution_that_cannot_be_used_alone_stops_a_release(small):
    text = "import aiops_core\nPart = aiops_core.Missing\n"
    (small / "plugins" / "detectors" / "part" / "aiops_plugin_part" / "__init__.py").write_text(text)

    done = release(small)

    assert done.returncode == 1
    assert done.stderr.startswith("release: importing what aiops-plugin-part provides failed\n")
    assert "has no attribute 'Missing'" in done.stderr


ADVISER = """\
import sys
from pathlib import Path

Path(sys.argv[sys.argv.index("-o") + 1]).write_text(ANSWER)
"""


@pytest.mark.parametrize(
    ("dependencies", "code", "printed", "told"),
    [
        ([{"vulns": []}, {"vulns": []}], 0, "audit: 2 packages, 0 known weaknesses\n", ""),
        ([{"vulns": [{"id": "CVE-1"}]}, {"vulns": []}], 1,
         "part-0: CVE-1\naudit: 2 packages, 1 known weaknesses\n", ""),
        ([{"vulns": []}, {"skip_reason": "no route"}], 1, "",
         "audit: the advisories are out of reach from here (1 of 2 packages unanswered). "
         "Run 'make audit' where the package index answers.\n"),
    ],
    ids=["clean", "weak", "unanswered"],
)  # fmt: skip
def test_an_audit_is_clean_only_where_every_package_was_answered_for(
    small, dependencies, code, printed, told
):
    named = [{"name": f"part-{number}", **each} for number, each in enumerate(dependencies)]
    (small / "pip_audit.py").write_text(ADVISER.replace("ANSWER", repr(json.dumps({"dependencies": named}))))
    parts = [{"name": name, "version": "1"} for name in ("part-0", "part-1", "aiops-core")]
    (small / "dist").mkdir()
    (small / "dist" / "sbom.cdx.json").write_text(json.dumps({"components": parts}))

    done = release(small, "--audit", PYTHONPATH=str(small))

    assert (done.returncode, done.stdout, done.stderr) == (code, printed, told)


def test_an_audit_without_a_release_says_what_to_run(tree):
    done = script(tree, "release", "--audit")

    assert done.returncode == 1
    assert done.stderr == "audit: no dist/sbom.cdx.json. Run 'make release' first\n"
