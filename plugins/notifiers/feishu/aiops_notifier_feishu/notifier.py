"""The notifier: the signed body of a robot's card, and what its error codes mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import SecretStr

from aiops_core import ChatNotifierConfig, HttpAnswer, HttpNotifier, HttpRequest, Remedy, Report, as_json
from aiops_notifier_feishu.card import card

_LIMIT = 19_500
"""Bytes of a card in a body that may have 20,000."""


class FeishuConfig(ChatNotifierConfig):
    """Which robot tells the group."""

    secret: SecretStr | None = None
    """Secret of a robot with the signature setting; none where it has other settings."""


class FeishuNotifier(HttpNotifier[FeishuConfig]):
    """Tell a Feishu (飞书) or Lark group through its robot: a card with a button to review a fix."""

    service: ClassVar[str] = "feishu"
    rate: ClassVar[tuple[int, float]] = (5, 3.0)  # 5 a second and 100 a minute
    remedy: ClassVar[str] = "Check url and secret."
    remedies: ClassVar[Mapping[str, Remedy]] = MappingProxyType(
        {
            "9499": Remedy(wait=60.0),
            "11232": Remedy(wait=60.0),
            "19001": Remedy("Copy the robot's address again: its token is not known."),
            "19002": Remedy("Report this as a bug."),
            "19021": Remedy("Check `secret` and this machine's clock."),
            "19022": Remedy("Allow this machine's address in the robot's settings."),
            "19024": Remedy("Write the robot's keyword in `prefix`."),
        }
    )

    def compose(self, report: Report) -> HttpRequest:
        """Return the card, signed where the robot has a secret."""
        shown = card(report, prefix=self.config.prefix, limit=_LIMIT)
        body = {**self._signature(), "msg_type": "interactive", "card": shown}
        return HttpRequest(self.config.address, as_json(body), {"Content-Type": "application/json"})

    def accept(self, url: str, answer: HttpAnswer) -> tuple[str, ...]:
        """Take code 0 only: Feishu answers 200 to much."""
        code = answer.fields.get("code", answer.fields.get("StatusCode"))
        if code != 0:
            said = str(answer.fields.get("msg", answer.words))
            self.fail(url, "no code" if code is None else code, said[:200])
        return ()

    def _signature(self) -> dict[str, Any]:  # Any: beside JSON of Feishu's shape
        if self.config.secret is None:
            return {}
        timestamp = int(self.context.clock().timestamp())
        return {
            "timestamp": str(timestamp),
            "sign": signature(self.config.secret.get_secret_value(), timestamp),
        }


def signature(secret: str, timestamp: int) -> str:
    """Return what Feishu expects beside a timestamp in seconds: the secret is part of the key."""
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
