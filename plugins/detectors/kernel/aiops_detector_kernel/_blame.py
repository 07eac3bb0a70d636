"""Which function of a stack a report is about."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from aiops_detector_kernel._frames import Call
from aiops_detector_kernel._functions import is_dispatching, is_everywhere, is_interrupting, is_reporting


class Owners(Struct, frozen=True):
    """Whose functions are whose, as the settings tell: beginnings of names, ``ours`` of modules too."""

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()

    def is_ours(self, call: Call) -> bool:
        """Say whether a call is of the user's own code."""
        return call.function.startswith(self.ours) or call.module in self.ours

    def is_theirs(self, function: str) -> bool:
        """Say whether a function is never to blame."""
        return function.startswith(self.theirs)


def blamed(calls: Sequence[Call], owners: Owners) -> Call | None:
    """Return the innermost call that is neither of the report nor made from everywhere."""
    sure = [call for call in calls if call.is_sure] or list(calls)
    own = [call for call in sure if not is_reporting(call.function)]
    for call in own:
        if not is_everywhere(call.function) and not owners.is_theirs(call.function):
            return call
    return own[0] if own else None


def stalled(calls: Sequence[Call], owners: Owners) -> Call | None:
    """Return the call that a dispatcher made: what that one called in turn is chance."""
    sure = [call for call in calls if call.is_sure]
    inner = (at + 1 for at, call in enumerate(sure[:-1]) if is_interrupting(call.function))
    start = max(inner, default=0)
    run = [call for call in sure[start:] if not is_reporting(call.function)]
    for call in run[:6]:
        if call.function.lstrip("_").startswith("smp_call_function"):
            return call
    for called, outer in pairwise(run):
        if is_dispatching(outer.function) and not is_dispatching(called.function):
            return called
    return blamed(run or sure, owners)
