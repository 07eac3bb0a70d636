"""What the watch knows now: each check and what is wrong with it."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from msgspec import Struct


class Check(Struct, frozen=True):
    """One thing that is looked at; ``problem`` "" while it is fine. ``blocks`` says that nothing works without it."""

    problem: str = ""
    blocks: bool = False


class Board:
    """Checks by name, written by the watch and read by everybody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checks: dict[str, Check] = {}
        self._gauges: dict[tuple[str, str], float] = {}

    def note(self, name: str, problem: str, *, blocks: bool = False) -> None:
        """Keep how a check went."""
        with self._lock:
            self._checks[name] = Check(problem, blocks)

    def keep(self, names: set[str]) -> None:
        """Forget checks of what is not watched any more."""
        with self._lock:
            self._checks = {name: check for name, check in self._checks.items() if name in names}

    def measure(self, name: str, of: str, value: float) -> None:
        """Keep a figure about one thing."""
        with self._lock:
            self._gauges[name, of] = value

    @property
    def checks(self) -> Mapping[str, Check]:
        """Every check."""
        with self._lock:
            return dict(self._checks)

    @property
    def gauges(self) -> Mapping[tuple[str, str], float]:
        """Every figure, by name and what it is about."""
        with self._lock:
            return dict(self._gauges)

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong now, by check."""
        return {name: check.problem for name, check in self.checks.items() if check.problem}

    @property
    def is_ready(self) -> bool:
        """Whether events are taken, kept and answered."""
        return not any(check.problem and check.blocks for check in self.checks.values())
