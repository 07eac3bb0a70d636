"""Import on first use what a room exports; import what others wrote, and live on."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn


def exported(package: str, name: str, where: Mapping[str, str]) -> Any:  # Any: whatever a module has
    """Import what a package's ``__getattr__`` was asked for, and keep it there.

    ``where`` holds the module of each name, below ``aiops_core``; AttributeError is raised for any other.
    """
    if name not in where:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value = getattr(import_module(f"aiops_core.{where[name]}"), name)
    setattr(sys.modules[package], name, value)
    return value


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
