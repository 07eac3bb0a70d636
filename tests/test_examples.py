"""The examples: the commands of their READMEs are carried out in a copy, with nothing outside."""

import os
import shutil
import subprocess
import sys

import pytest
from shown import ROOT, follow, shown

EXAMPLES = ROOT / "examples"
PACKAGES = {"core_and_gitlab", "press_plugin"}
"""What is followed where it is installed: in its own tests, and by tests/test_packaging.py."""
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/README.md") if path.parent.name not in PACKAGES)


@pytest.mark.parametrize("folder", [EXAMPLES, *FOLDERS], ids=lambda folder: folder.name)
def test_the_commands_of_an_example_do_what_its_readme_says(folder, tmp_path):
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("state", ".env", "__pycache__"))

    assert follow(list(shown(folder / "README.md")), copy) > 0


def test_every_example_has_a_readme_and_stands_in_the_list():
    page = (EXAMPLES / "README.md").read_text("utf-8")
    folders = sorted(path for path in EXAMPLES.iterdir() if path.is_dir() and path.name != "__pycache__")

    assert [path.name for path in folders if not (path / "README.md").is_file()] == []
    assert [path.name for path in folders if f"({path.name}/README.md)" not in page] == []


def test_the_example_of_a_plugin_package_is_built_installed_tested_and_run(tmp_path, monkeypatch):
    folder = shutil.copytree(EXAMPLES / "press_plugin", tmp_path / "press_plugin")
    site = tmp_path / "site"
    build = ["build", "--quiet", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(folder)]
    subprocess.run([sys.executable, "-m", *build], check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").iterdir()
    pip = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", *pip], check=True, capture_output=True)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    )

    assert follow(list(shown(folder / "README.md")), folder) == 2
