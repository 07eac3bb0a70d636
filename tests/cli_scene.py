"""The command line as a program of its own, and a crash for it to find."""

import os
import subprocess
import sys
from pathlib import Path

AIOPS = Path(sys.executable).parent / "aiops"
CRASH = """\
Traceback (most recent call last):
  File "/app/shop/cart.py", line 7, in total
    return price * count
ValueError: no price
"""


def aiops(*arguments, cwd, stdin=None):
    """Run the real command in its own process."""
    return subprocess.run(
        [AIOPS, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "200"},
    )
