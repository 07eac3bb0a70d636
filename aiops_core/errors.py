"""The exceptions of aiops-core.

AiopsError
├── UserError            what was written or set up is wrong: message only, exit 2
│   ├── DocumentError    the pipeline file (carries every problem found)
│   ├── NotInstalled     a component nobody provides
│   └── StateHeld        another runner holds the state directory
├── PluginBroken         a component cannot be imported or does not keep its contract
├── Refused              a policy says no; says which rule and what would change it
├── NoAnswer             an analyzer has none, and why
├── Retry                try again later (raised by plugin authors on purpose)
│   ├── NotYet           nothing was tried: its turn has not come
│   └── ProcessEnded     the process of an isolated component is gone; another one is begun
├── LeaseLost            another worker took the job over
└── StoreError           the state database cannot be used
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from msgspec import Struct

from aiops_core.records import RecipientResult, Usage


class AiopsError(Exception):
    """Be the ancestor of every error this package raises on purpose."""


class UserError(AiopsError):
    """Say where a user's mistake is and what to do; shown without a traceback, exit 2."""


class Problem(Struct, frozen=True, order=True):
    """One mistake in a document, as ``path:line:column: where: what. What to do.``"""

    path: str
    line: int
    column: int
    where: str
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{place}: {self.where}: {self.message}" if self.where else f"{place}: {self.message}"


class DocumentError(UserError):
    """Carry every problem of one pipeline file, in line order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class NotInstalled(UserError):
    """Name a component that no installed distribution provides."""


class StateHeld(UserError):
    """Name the process that holds the state directory."""


class PluginBroken(AiopsError):
    """Name a component that cannot be used, its distribution and the reason."""


class Refused(AiopsError):
    """Refuse an effect.

    ``rule`` is the short name of the policy rule, ``setting`` the setting that would change it.
    """

    def __init__(self, message: str, *, rule: str, setting: str = "") -> None:
        self.rule = rule
        self.setting = setting
        super().__init__(message)


class NoAnswer(AiopsError):
    """Say why an analyzer gives no answer; the next one is asked. ``usage`` is what asking took."""

    def __init__(self, message: str, *, usage: Usage | None = None) -> None:
        self.usage = usage
        super().__init__(message)


class Retry(AiopsError):
    """Ask the host to try again, no sooner than ``after`` seconds from now.

    ``served`` are recipients of a message that need it no more: the next try finds them in
    ``context.served``.
    """

    def __init__(self, message: str, *, after: float = 0.0, served: Sequence[RecipientResult] = ()) -> None:
        self.after = after
        self.served = tuple(served)
        super().__init__(message)


class NotYet(Retry):
    """Say that nothing was tried, since the turn of a message has not come: no attempt is counted."""


class ProcessEnded(Retry):
    """Say why the process of an isolated component is gone; another one is begun soon."""

    was_called: bool = False
    """Whether it ended in this very call, which may have done something."""


class LeaseLost(AiopsError):
    """Stop work on a job whose lease another worker now holds."""


class StoreError(AiopsError):
    """Say why the state database cannot be used and what to do."""


def is_interrupt(error: BaseException) -> bool:
    """Tell a person's Ctrl-C from what a component raised: ``SystemExit`` too is that component's fault."""
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()
