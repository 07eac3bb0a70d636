"""The tutorial, followed to the letter: files are written, commands carried out, what is printed is compared."""

from shown import ROOT, follow, shown

TUTORIAL = ROOT / "docs" / "writing-plugins.md"


def test_the_tutorial_ends_with_an_incident(tmp_path):
    end = TUTORIAL.read_text("utf-8").partition("## What the test kit")[0].count("\n")

    commands = follow([block for block in shown(TUTORIAL) if block.line < end], tmp_path)

    assert commands == 5
    assert (tmp_path / "press-line" / "pyproject.toml").is_file()
