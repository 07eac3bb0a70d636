"""Figures drawn in a line of text."""

from __future__ import annotations

from collections.abc import Sequence

_BLOCKS = " ▁▂▃▄▅▆▇█"
_LONGEST = 80


def spark(counts: Sequence[int]) -> str:
    """Draw counts as one line of blocks."""
    most = max(counts, default=0) or 1
    return "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // most)] for count in counts[-_LONGEST:])
