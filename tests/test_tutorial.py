"""The tutorial, followed to the letter: files are written, commands carried out, what is printed is compared."""

import os
import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parent.parent / "docs" / "writing-plugins.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_tutorial_ends_with_an_incident(tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    printed, commands = "", 0

    for language, file, text in BLOCK.findall(
        TUTORIAL.read_text("utf-8").partition("## What the test kit")[0]
    ):
        if file:
            (tmp_path / file).write_text(text)
        elif language == "sh":
            done = subprocess.run(
                ["sh", "-e", "-c", text],
                cwd=tmp_path,
                env={**os.environ, "PATH": path, "COLUMNS": "120"},
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert done.returncode == 0, f"{text}{done.stdout}{done.stderr}"
            printed, commands = done.stdout, commands + 1
        else:
            missing = [line for line in text.splitlines() if line not in printed]
            assert missing == [], printed

    assert commands == 5
    assert (tmp_path / "press-line" / "pyproject.toml").is_file()
