"""What a notifier that posts brings to the suite all of them pass: how it is made, what it sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiops_core.component import Notifier
from aiops_core.context import Context
from aiops_core.posting import HttpNotifierConfig
from aiops_core.testing import samples
from aiops_core.testing.http_peer import Reply, Request

NOON = samples.NOON
REVIEW = "https://git.example.org/shop/pulls/17"
EVENT = samples.event(severity=None)
INCIDENT = samples.incident(events=(EVENT,))
ANALYSIS = samples.analysis()
REPORT = samples.report(incident=INCIDENT)
FAULT = samples.fault()


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
