"""How this process uses its memory."""

from __future__ import annotations

import gc

_LARGEST = 16 << 20
_YOUNG = 20_000


def keep_memory() -> None:
    """Let freed memory serve the next chunk that is read, and look for garbage less often.

    The C library gives freed blocks back to the system from the size of the largest one freed so far,
    and each of their pages is paid for again: a sixth of the time of a scan. A block that nobody
    writes to costs nothing. Of the objects made for an event hardly any is in a cycle.
    """
    bytes(_LARGEST)
    gc.set_threshold(_YOUNG)
