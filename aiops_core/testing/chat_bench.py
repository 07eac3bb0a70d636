"""What a notifier that posts brings to the suite all of them pass: how it is made, what it sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiops_core.component import Context, Notifier
from aiops_core.posting import HttpNotifierConfig
from aiops_core.records import (
    Analysis,
    Change,
    Event,
    Frame,
    Incident,
    Outcome,
    RaisedException,
    Report,
    TestRun,
)
from aiops_core.testing.http_peer import Reply, Request

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
REVIEW = "https://git.example.org/shop/pulls/17"
EVENT = Event(
    type="ValueError",
    message="no price",
    exceptions=(
        RaisedException("ValueError", "no price", (Frame("shop/cart.py", 7, "total", "shop.cart"),)),
    ),
    occurred_at=NOON,
    attributes={"service": "checkout"},
    detector="python",
    path="/var/log/shop.log",
    block='Traceback (most recent call last):\n  File "shop/cart.py", line 7, in total\nValueError: no price',
    key="e1",
)
INCIDENT = Incident(
    id=12,
    pipeline="shop",
    fingerprint="v1:abc",
    title="no price",
    type="ValueError",
    message="no price",
    language="python",
    severity="critical",
    state="new",
    count=3,
    first_seen=NOON,
    last_seen=NOON,
    events=(EVENT,),
)
ANALYSIS = Analysis(
    title="An item without a price stops the checkout",
    summary="The total cannot be computed.",
    root_cause="Nobody checks for a missing price.",
    repair_steps=("Skip such items.", "Tell the catalogue."),
    cited=("E1",),
    confidence=0.8,
    analyzer="claude",
)
REPORT = Report(
    key="shop/v1:abc/run-1",
    kind="incident",
    pipeline="shop",
    title=ANALYSIS.title,
    severity="critical",
    incident=INCIDENT,
    analysis=ANALYSIS,
    change=Change(
        "abc123", "main", (), "+x", None, TestRun("pytest -q", 0, 2.5, tests=12, sandbox="bubblewrap")
    ),
    outcomes=(Outcome("done", "Opened #17.", REVIEW, action="github_pull_request"),),
    created_at=NOON,
)
FAULT = Report(
    key="fault/shop/source file/2026-05-04",
    kind="fault",
    pipeline="shop",
    title="aiops itself: source file failed",
    text="shop.log cannot be read.",
    created_at=NOON,
)


@dataclass(frozen=True, slots=True)
class ChatBench:
    """One notifier on the bench.

    ``address`` is the setting that leads to the peer, ``path`` what follows the peer's address in
    it. ``refused`` and ``busy`` are 2xx answers that tell of a failure, for good or for now.
    ``shown`` returns what people get to see of a request, ``size`` what the service limits to ``limit``.
    """

    name: str
    notifier: type[Notifier[Any]]  # Any: a config of any notifier
    shown: Callable[[Request], str]
    size: Callable[[Request], int]
    limit: int
    path: str = ""
    address: str = "url"
    settings: Mapping[str, Any] = field(default_factory=dict)  # Any: as people write them
    secrets: tuple[str, ...] = ()
    fine: Reply = field(default_factory=Reply)
    refused: tuple[Reply, ...] = ()
    busy: tuple[Reply, ...] = ()
    harmful: tuple[str, ...] = ("@all", "https://evil", "<!channel>", "<at ", "](http", "<@")
    """What untrusted text must not be in ``shown`` any more."""
    guards_address: bool = True
    """Whether a secret stands in the address, which then must not be sent in clear text."""

    def __str__(self) -> str:
        return self.name

    def make(self, url: str, **changes: Any) -> Notifier[Any]:  # Any: as above
        """Return the notifier, told to post to this address."""
        settings = {self.address: url + self.path, **self.settings, **changes}
        config = self.notifier.config_type(**settings)
        assert isinstance(config, HttpNotifierConfig)
        return self.notifier(config, Context(name=self.name, clock=lambda: NOON))
