"""What the documentation shows: its fenced blocks, and how those for a shell are carried out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
        *(ROOT / "changes").glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "plugins").glob("*/*/README.md"),
    ]
)
BLOCK = re.compile(
    r"^([ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(`{3,}(?=[^`\n]*$)|~{3,})[ \t]*(\S*)[ \t]*(.*?)[ \t]*\n"
    r"((?:.*\n)*?)(?:[ \t>]*\2[`~]*[ \t]*$|\Z)",
    re.MULTILINE,
)
"""A fenced block, in a list or a quotation too; one that is never closed goes on to the end."""
_MOST = 120


@dataclass(frozen=True, slots=True)
class Shown:
    """One fenced block: ``file`` is the name behind the language, ``line`` where it begins."""

    page: Path
    line: int
    language: str
    file: str
    text: str

    def __str__(self) -> str:
        page = self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page
        return f"{page}:{self.line}"


def shown(page: Path) -> Iterator[Shown]:
    """Yield the fenced blocks of a page."""
    text = page.read_text("utf-8").rstrip("\n") + "\n"
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        before, _, language, file, lines = match.groups()
        plain = re.sub(rf"^[ \t>]{{0,{len(before)}}}", "", lines, flags=re.MULTILINE)
        yield Shown(page, line, language, file, plain)


def follow(blocks: list[Shown], directory: Path, binaries: Path = Path(sys.executable).parent) -> int:
    """Write named files, carry out `sh` blocks, and look for what `text` blocks say they print; count commands.

    Lines of a `text` block must be parts of lines that were printed, in any order.
    """
    environment = {
        **os.environ,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "120",
    }
    printed, commands = "", 0
    for block in blocks:
        if block.file:
            (directory / block.file).write_text(block.text, "utf-8")
        elif block.language == "sh":
            done = subprocess.run(
                ["sh", "-e", "-c", block.text],
                cwd=directory,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_MOST,
                check=False,
            )
            assert done.returncode == 0, f"{block}\n{block.text}{done.stdout}{done.stderr}"
            printed, commands = done.stdout, commands + 1
        elif block.language == "text":
            missing = [line for line in block.text.splitlines() if line not in printed]
            assert missing == [], f"{block}\n{printed}"
    return commands
