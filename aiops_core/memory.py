"""How this process uses its memory."""

from __future__ import annotations

import contextlib
import gc

_LARGEST = 16 << 20
_AT_START = 500_000
_YOUNG = 100_000
_M_ARENA_MAX = -8


def keep_memory() -> None:
    """Let freed memory serve the next chunk that is read; hardly look for garbage, as nothing at a start is.

    The C library gives freed blocks back to the system from the size of the largest one freed so far,
    and each of their pages is paid for again: a sixth of the time of a scan. A block that nobody
    writes to costs nothing.
    """
    bytes(_LARGEST)
    gc.set_threshold(_AT_START)


def settle_memory() -> None:
    """Keep what was made at the start, and look for garbage among what comes now.

    Of the objects made for an event hardly any is in a cycle: it is looked for seldom.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG)


def share_memory() -> None:
    """Let what one thread frees serve all: to be called before threads start.

    The C library would give each thread memory of its own. A chunk that one thread reads and another
    frees would then go back to the system, and be paid for again: most of the cost of reading.
    """
    import ctypes

    with contextlib.suppress(AttributeError, OSError, TypeError):  # only the GNU library has it
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
