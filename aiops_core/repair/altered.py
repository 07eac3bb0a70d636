"""Test files that change or vanish while the tests run: code that does this is not being tested."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeAlias

Traces: TypeAlias = Mapping[str, tuple[int, ...]]


def traces(root: Path, paths: Collection[str]) -> Traces:
    """Return what tells whether a file was written to, for those there are."""
    return {path: trace for path in paths if (trace := _trace(root / path))}


def altered(before: Traces, after: Traces) -> tuple[str, ...]:
    """Return the files that were changed or removed in between."""
    return tuple(path for path, trace in before.items() if after.get(path) != trace)


def _trace(path: Path) -> tuple[int, ...]:
    try:
        facts = os.lstat(path)
    except OSError:
        return ()
    return facts.st_ino, facts.st_mode, facts.st_size, facts.st_ctime_ns  # nobody can set the last one
