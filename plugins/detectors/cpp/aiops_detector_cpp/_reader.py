"""How lines are asked for."""

from __future__ import annotations

from collections.abc import Callable

Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""
