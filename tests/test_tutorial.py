"""The tutorial, followed to the letter: files are written, commands carried out, what is printed is compared."""

import re
import subprocess
import sys

from shown import ROOT, follow, shown

TUTORIAL = ROOT / "docs" / "writing-plugins.md"


def test_the_tutorial_ends_with_an_incident(tmp_path):
    end = TUTORIAL.read_text("utf-8").partition("## What the test kit")[0].count("\n")

    commands = follow([block for block in shown(TUTORIAL) if block.line < end], tmp_path)

    assert commands == 5
    assert (tmp_path / "press-line" / "pyproject.toml").is_file()


def test_the_fixtures_work_as_they_are_shown_and_all_are(tmp_path):
    (block,) = (block for block in shown(TUTORIAL) if block.file == "test_kit.py")
    (tmp_path / "test_kit.py").write_text(block.text)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_kit.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )

    plugin = (ROOT / "aiops_core" / "testing" / "plugin.py").read_text("utf-8")
    fixtures = re.findall(r"^@pytest\.fixture.*\ndef ([a-z]\w+)", plugin, re.MULTILINE)
    assert done.returncode == 0, done.stdout
    assert len(fixtures) > 8
    assert [name for name in fixtures if f"`{name}" not in TUTORIAL.read_text("utf-8")] == []
