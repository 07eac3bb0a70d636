"""What ``--disable`` leaves out of a pipeline file, by the names people give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aiops_core.catalogue import Catalogue


class LeftOut:
    """The names of steps, components and distributions that are left out; ``found`` are those something had."""

    def __init__(self, names: frozenset[str], catalogue: Catalogue) -> None:
        self._names = names
        self._catalogue = catalogue
        self.found: set[str] = set()

    def has(self, kind: str, uses: str, name: str = "") -> bool:
        """Return whether a step is to be left out: by its name, its component's or its distribution's."""
        entries = self._catalogue.entries.get((kind, uses), ()) if self._names else ()
        names = {uses, name or short_name(uses), *(entry.distribution for entry in entries)}
        found = (names | {f"{kind}/{each}" for each in names}) & self._names
        self.found |= found
        return bool(found)

    def unknown(self) -> Iterator[str]:
        """Say which names nothing has: a typing error would leave the wrong thing running."""
        for name in sorted(self._names - self.found):
            yield f"--disable {name}: nothing here has this name. 'aiops check' shows those there are"


def short_name(uses: str) -> str:
    """Return ``billing`` for ``./billing.py:BillingErrors``, the name itself for a component."""
    return Path(uses.partition(":")[0]).stem if ":" in uses else uses
