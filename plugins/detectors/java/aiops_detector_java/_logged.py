"""Find an exception that was logged without a stack: its line alone stands below the record of a failure.

Kafka's exceptions have no frames, and the virtual machine leaves them off where the same is thrown too often.
"""

from __future__ import annotations

from aiops_core import lazy_pattern, parse_envelope
from aiops_detector_java._extent import after_message, has_body
from aiops_detector_java._lines import Get

_CLASS = r"^(?:[a-z_][\w$]*\.){1,12}[A-Z][\w$]*(?:Exception|Error)"
TRIGGER = _CLASS
"""One for both ends: what other languages raise is often named like this too, and each hit costs."""
NAMED = lazy_pattern(rf"{_CLASS}(?:: |$)")
_TOLD = frozenset({"critical", "error", "warning"})


def extent_of_logged(get: Get, hit: int) -> tuple[int, int] | None:
    """Return the line of the exception and the one after it; None where it has a stack or nobody logged it."""
    above = get(hit - 1) or get(hit - 2) or ""
    if parse_envelope(above).severity not in _TOLD:
        return None
    below = after_message(get, hit)
    return (hit, below) if below == hit + 1 and not has_body(get(below)) else None
