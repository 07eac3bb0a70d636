"""Look whether there is a journal where journalctl looks for one, and say what is wrong when there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_BASES = ("/var/log/journal", "/run/log/journal")
_MACHINE = "/etc/machine-id"


def look_into(directory: Path) -> Iterator[str]:
    """Yield what is wrong with a directory of journal files."""
    if not _has_journals(directory):
        yield f"{directory} holds no journal yet. It is read once it does."


def look_around() -> Iterator[str]:
    """Yield what is wrong with this machine's journal."""
    for file in (file for base in _BASES for file in Path(base).glob("*/system.journal")):
        if not os.access(file, os.R_OK):
            yield (
                f"{file} cannot be read by this user, who sees only entries of his own. "
                "Add him to the group systemd-journal."
            )
    if not any(_has_journals(Path(base, _machine())) for base in _BASES):
        yield _no_journal()


def _no_journal() -> str:
    others = next((base for base in _BASES if _has_journals(Path(base))), None)
    if others is not None:  # of the host, in a container: journalctl leaves them out without a word
        return f"{others} holds journals of other machines only. To read them, set 'directory' to it."
    return (
        f"this machine has no journal in {' or '.join(_BASES)}. In a container, mount the host's "
        "and set 'directory' to it."
    )


def _machine() -> str:
    """Return what the directory of this machine's journal is called."""
    with suppress(OSError):
        return Path(_MACHINE).read_text("ascii", "replace").strip() or "unknown"
    return "unknown"


def _has_journals(directory: Path) -> bool:
    """Tell whether journalctl would find files in a directory."""
    return any(True for form in ("*.journal*", "*/*.journal*") for _ in directory.glob(form))
