"""The press_fault detector."""

from __future__ import annotations

from aiops_core import Block, Config, Event, LogDetector


class PressFaultsConfig(Config):
    """Which faults are critical."""

    critical_from: int = 900
    """Smallest number of a fault that stops the plant."""


class PressFaults(LogDetector[PressFaultsConfig]):
    """Find faults of a press: `FAULT ##F<number> <what>`, then indented readings."""

    triggers = (r"FAULT ##F\d+ ",)
    continues = r"^ {4}\S"

    def detect(self, block: Block) -> Event | None:
        """Return the fault, None for what only looks like one."""
        number, _, what = block.first_line.partition("##F")[2].partition(" ")
        if not number.isdigit():
            return None
        severity = "critical" if int(number) >= self.config.critical_from else "error"
        return Event(type=f"F{number}", message=what, severity=severity)
