"""Places at which the process can be made to die or stop, to show that nothing is lost or done twice."""

from __future__ import annotations

import os
import signal
from functools import cache
from itertools import count
from typing import NamedTuple

from aiops_core.errors import UserError

VARIABLE = "AIOPS_FAILPOINT"
FAILPOINTS = {
    "after_read": "A batch came from its source and was not looked at.",
    "in_block": "A batch was cut, and the block at its end is still open.",
    "in_rotation": "The file source noticed a rotation and has not read the old file to its end.",
    "before_commit": "Counts, events and positions are about to be committed.",
    "after_commit": "They are committed; nobody was told.",
    "job_taken": "A job is leased, and nothing of it is done.",
    "job_left": "A job is done or given back, and its worker looks for the next one.",
    "step_begun": "A step of a run that calls somebody is in the journal, and nothing of it is done.",
    "step_done": "A step is done and not in the journal.",
    "step_ended": "A step is in the journal with its result.",
    "call_reserved": "A call of a model is in the account, and not made.",
    "call_settled": "A call of a model was made, and what it took is in the account.",
    "before_effect": "An effect of an action, a push or a request, is in the journal and not begun.",
    "after_effect": "An effect has happened, and its result is not in the journal.",
    "before_queuing": "A report is about to be queued to its targets.",
    "after_queuing": "A report is queued, at the latest with the transaction it is part of; nobody was told.",
    "after_holding": "A message that was due waits for something else or is dropped, and the next one was not looked at.",
    "before_notification": "A delivery is taken up and not sent.",
    "after_notification": "A delivery is sent, and its receipt is not in the database.",
    "after_refusal": "A target did not take a delivery, and that is not in the database.",
}
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP} if os.name == "posix" else {}


class _Armed(NamedTuple):
    name: str
    passing: int
    signal: signal.Signals
    passings: count[int]


def failpoint(name: str) -> None:
    """Send this process a signal if the variable AIOPS_FAILPOINT says so; else do nothing."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    armed = _armed(wanted)
    if armed.name == name and next(armed.passings) == armed.passing:
        os.kill(os.getpid(), armed.signal)


@cache
def _armed(wanted: str) -> _Armed:
    """Read ``name[:n][=action]``."""
    place, _, action = wanted.partition("=")
    name, _, passing = place.partition(":")
    if name not in FAILPOINTS or (passing and not passing.isdecimal()) or (action or "kill") not in _SIGNALS:
        raise UserError(
            f"{VARIABLE}={wanted}: not understood. Write NAME, NAME:N or NAME:N=ACTION, where NAME is one of "
            f"{', '.join(FAILPOINTS)}, N counts its passings from 1, and ACTION is kill or stop."
        )
    return _Armed(name, int(passing or 1), _SIGNALS[action or "kill"], count(1))
