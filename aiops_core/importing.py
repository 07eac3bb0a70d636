"""Import what others wrote, and live on."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def outlived() -> Iterator[None]:
    """Let code in the block that would end this process by ``os._exit`` raise SystemExit instead.

    Nothing could be told after it, and an exit code of 0 would look as if all were well. Other threads, and
    processes that the block forks, still end.
    """
    ends, process, thread, is_over = os._exit, os.getpid(), threading.get_ident(), False

    def end(status: int) -> NoReturn:
        if is_over or (os.getpid(), threading.get_ident()) != (process, thread):
            ends(status)
        raise SystemExit(f"os._exit({status}) would end this process")

    os._exit = end
    try:
        yield
    finally:
        os._exit, is_over = ends, True
