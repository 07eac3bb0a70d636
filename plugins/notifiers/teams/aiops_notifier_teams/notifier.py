"""The notifier: a card for a workflow, and failures that look like success."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from aiops_core import ChatNotifierConfig, HttpAnswer, HttpNotifier, HttpRequest, Remedy, Report, as_json
from aiops_notifier_teams.card import card

_LIMIT = 27_000
"""Bytes of a card in a message that may have 28 KB."""
_FAILED = re.compile(r"failed with error.*?\bHTTP error (\d{3})", re.IGNORECASE | re.DOTALL)


class TeamsConfig(ChatNotifierConfig):
    """Which workflow tells the channel."""


class TeamsNotifier(HttpNotifier[TeamsConfig]):
    """Tell a Microsoft Teams channel through a workflow: an Adaptive Card with a button to review a fix."""

    service: ClassVar[str] = "teams"
    rate: ClassVar[tuple[int, float]] = (2, 1.0)  # 60 in 30 seconds
    remedy: ClassVar[str] = "Check url: is the workflow there and switched on?"
    remedies: ClassVar[Mapping[str, Remedy]] = MappingProxyType(
        {
            **{
                str(status): Remedy("Make the workflow's address anew.")
                for status in (400, 401, 403, 404, 410)
            },
            "413": Remedy("Report this as a bug."),
            "429": Remedy(wait=60.0),
        }
    )

    def compose(self, report: Report) -> HttpRequest:
        """Return the card as a message's only attachment."""
        attachment = {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": None,
            "content": card(report, prefix=self.config.prefix, limit=_LIMIT),
        }
        body = as_json({"type": "message", "attachments": [attachment]})
        return HttpRequest(self.config.address, body, {"Content-Type": "application/json"})

    def accept(self, url: str, answer: HttpAnswer) -> tuple[str, ...]:
        """Read what a connector says of Teams behind it: it answers 200 all the same."""
        if match := _FAILED.search(answer.body.decode("utf-8", "replace")):
            self.fail(url, match[1], answer.words)
        return ()
