"""How much of the disk is free, and how much some directories take."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_LONGEST = 30.0


def free_space(path: Path) -> int:
    """Return the free bytes of the disk a path is on."""
    return shutil.disk_usage(path).free


def space_taken(directories: Sequence[Path]) -> int:
    """Return the bytes that directories take on the disk; 0 where nobody can tell in time."""
    command = ["du", "--summarize", "--total", "--block-size=1", "--one-file-system", "--"]
    try:
        done = subprocess.run(
            [*command, *map(str, directories)],
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    total = done.stdout.rpartition("\n")[0].rpartition("\n")[2].partition("\t")[0]
    return int(total) if total.isdigit() else 0
