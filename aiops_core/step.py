"""One configured component of a pipeline, and the only way to call it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pluggy
from msgspec import Struct, field

from aiops_core.component import KINDS, Component
from aiops_core.overtime import Patience
from aiops_core.settings import Limits

_USUAL: Mapping[str, float] = {
    "analyze": 3600.0,
    "plan": 600.0,
    "act": 3600.0,
    "follow": 600.0,
    "remark": 600.0,
    "committed": 30.0,
    "gather": 120.0,
    "started": 10.0,
    "events_recorded": 10.0,
    "incident_changed": 10.0,
    "step_finished": 10.0,
    "stopping": 3.0,
}
"""Seconds that calls may take which are made one by one; who reads, detects and notifies is looked after by others."""

_START, _STOP = 60.0, 10.0
"""Seconds that getting ready and letting go may take."""


class Step(Struct, eq=False):
    """One configured component of a pipeline and the only way to call it."""

    kind: str
    name: str
    uses: str
    component: Component[Any]
    mode: str = ""
    limits: Limits = field(default_factory=Limits)
    is_apart: bool = False
    """Whether it has a process of its own, which keeps to the limits itself."""
    _callers: dict[str, pluggy.HookCaller] = field(default_factory=dict)
    _patience: Patience = field(default_factory=Patience)

    @property
    def is_off(self) -> bool:
        """Whether a call that took too long still goes on: until it has ended, none is made."""
        return self._patience.is_off

    def start(self) -> None:
        """Let the component get ready; raise what it raises, PluginBroken where that takes too long."""
        self._looked_after("start", _START, "Mend it, or leave it out with --disable")

    def stop(self) -> None:
        """Let the component let go of everything; raise as ``start`` does."""
        self._looked_after("stop", _STOP, "Mend it: what it holds is held until the program ends")

    def _looked_after(self, name: str, seconds: float, then: str) -> None:
        work = getattr(self.component, name)
        if self.is_apart or getattr(type(self.component), name) is getattr(Component, name):
            work()
        else:
            Patience().call(name, seconds, work, then)

    def has(self, hook: str) -> bool:
        """Return whether the step can be called for this hook."""
        return hook in self._callers

    def let_call(self, hook: str, caller: pluggy.HookCaller) -> None:
        """Call this step through ``caller`` for a hook."""
        self._callers[hook] = caller

    def call(self, hook: str, **arguments: Any) -> Any:  # Any: every hook has its own types
        """Call one hook of this step alone, through the wrappers; return its result or None.

        Raise PluginBroken for one that takes longer than it may.
        """
        is_its_own = getattr(type(self.component), hook, None) is not getattr(KINDS[self.kind], hook, None)
        seconds = self._seconds(hook) if is_its_own and not self.is_apart else None
        if seconds is None:
            return self._call(hook, arguments)
        work = self.component.context.carried(partial(self._call, hook, arguments))
        cure = "; with 'isolation: process' it would be ended" if self.component.is_isolable else ""
        return self._patience.call(hook, seconds, work, f"The step is off until that call ends{cure}")

    def _call(self, hook: str, arguments: Mapping[str, Any]) -> Any:  # Any: every hook has its own types
        results = self._callers[hook](**arguments)
        return results[0] if results else None

    def _seconds(self, hook: str) -> float | None:
        """Return how long a call may take, None where who calls looks after that."""
        usual = _USUAL.get(hook)
        if usual is None:
            return None
        if self.limits.time is not None:
            return self.limits.time.total_seconds()
        own = getattr(self.component.config, "timeout", None)
        return max(usual, 2 * own.total_seconds()) if isinstance(own, timedelta) else usual
