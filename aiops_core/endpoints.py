"""Addresses of models: what one worker learns of them, an outage or a limit, holds for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from aiops_core.errors import Retry, UserError

EndpointState: TypeAlias = Literal["up", "limited", "down", "refused"]
TRIES = 5
"""Failures in a row after which an address counts as down."""
_FIRST, _LONGEST = 30.0, 600.0
_PROBE = 60.0
"""Seconds for which one call may try an address that was down, before another one does."""


class Closed(Struct, frozen=True):
    """Why nothing is asked now; ``seconds`` None: not before the configuration changes."""

    reason: str
    seconds: float | None


class EndpointNews(Struct, frozen=True):
    """What an address has become; ``seconds``: for so long, 0 where that is open."""

    name: str
    state: EndpointState
    reason: str = ""
    seconds: float = 0.0


class Endpoint:
    """One address with one key: a circuit breaker, and the pause its server asked for.

    Ask ``closed`` before each call, and report how the call went.
    """

    def __init__(
        self, name: str, clock: Callable[[], float], changed: Callable[[EndpointNews], None]
    ) -> None:
        self.name = name
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._state: EndpointState = "up"
        self._reason = ""
        self._until = 0.0
        self._failures = 0

    def closed(self) -> Closed | None:
        """Return why no call may be made; None lets one through, as the one that tries after an outage."""
        with self._lock:
            if self._state == "refused":
                return Closed(self._reason, None)
            left = self._until - self._clock()
            if left > 0:
                return Closed(self._reason, left)
            if self._state == "down":
                self._until = self._clock() + _PROBE
            return None

    def check(self, who: str) -> None:
        """Raise Retry or UserError where no call may be made; ``who`` wants to make one."""
        closed = self.closed()
        if closed is not None and closed.seconds is None:
            raise UserError(f"{who}: {closed.reason}")
        if closed is not None:
            raise Retry(f"{who} cannot be reached: {closed.reason}", after=closed.seconds or 1.0)

    def succeeded(self) -> None:
        """Note an answer."""
        with self._lock:
            self._failures, self._until = 0, 0.0
            self._become("up", "", 0.0)

    def failed(self, reason: str, retry_after: float | None = None) -> None:
        """Note a failure that may pass, and the seconds its server wants to be left alone."""
        with self._lock:
            self._failures += 1
            is_down = self._failures >= TRIES
            wait = min(_FIRST * 2.0 ** (self._failures - TRIES), _LONGEST) if is_down else 0.0
            wait = max(wait, retry_after or 0.0)
            self._until = max(self._until if self._state == "limited" else 0.0, self._clock() + wait)
            if wait:
                self._become("down" if is_down else "limited", reason, wait)

    def refused(self, reason: str) -> None:
        """Note that the key was refused: nothing is asked again with it."""
        with self._lock:
            self._become("refused", reason, 0.0)

    def _become(self, state: EndpointState, reason: str, seconds: float) -> None:
        is_news = (state, reason) != (self._state, self._reason) or state == "down"
        self._state, self._reason = state, reason
        if is_news:
            self._changed(EndpointNews(self.name, state, reason, seconds))


class Endpoints:
    """Every address that is asked, shared by all pipelines; ``changed`` hears of what they become."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[EndpointNews], None] = lambda news: None,
    ) -> None:
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Endpoint] = {}

    def note(self, news: EndpointNews) -> None:
        """Pass on what another process found of an address."""
        self._changed(news)

    def of(self, address: str, key: str = "") -> Endpoint:
        """Return an address as it is asked with a key, the same one every time."""
        with self._lock:
            if (address, key) not in self._known:
                number = 1 + sum(known == address for known, _ in self._known)
                name = address if number == 1 else f"{address} (key {number})"
                self._known[address, key] = Endpoint(name, self._clock, self._changed)
            return self._known[address, key]
