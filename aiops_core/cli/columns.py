"""Align rows in columns, as the commands that list things print them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Sequence

_LEAST = 20
"""Fewest columns of the terminal that the long text gets, however narrow it is."""


def is_terminal() -> bool:
    """Tell whether people read the lines as they come."""
    return sys.stdout.isatty()


def aligned(rows: Sequence[tuple[str, ...]], long: int, right: Collection[int]) -> list[str]:
    """Return a line for each row; on a terminal the text in column ``long`` is cut to fit, elsewhere nothing is.

    ``right`` are the columns of numbers.
    """
    from rich.cells import cell_len, set_cell_size

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    if is_terminal():
        others = sum(widths) - widths[long] + 2 * (len(widths) - 1)
        widths[long] = min(widths[long], max(shutil.get_terminal_size().columns - others, _LEAST))

    def shown(text: str, column: int) -> str:
        width = widths[column]
        if column in right:
            return f"{text:>{width}}"
        is_long = cell_len(text) > width
        return f"{set_cell_size(text, width - 1)}…" if is_long else set_cell_size(text, width)

    return ["  ".join(map(shown, row, range(len(row)))).rstrip() for row in rows]
