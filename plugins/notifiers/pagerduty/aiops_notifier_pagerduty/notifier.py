"""The notifier: which service of PagerDuty hears of what."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from aiops_core import (
    HttpAnswer,
    HttpNotifier,
    HttpNotifierConfig,
    HttpRequest,
    Receipt,
    Report,
    address_of,
    as_json,
)
from aiops_notifier_pagerduty.event import event


class PagerdutyConfig(HttpNotifierConfig):
    """Which service of PagerDuty hears of incidents."""

    routing_key: SecretStr
    """Integration key of an Events API v2 integration of the service."""
    url: str = "https://events.pagerduty.com/v2/enqueue"
    """Address of the Events API; `https://events.eu.pagerduty.com/v2/enqueue` in the European region."""
    prefix: str = Field(default="", max_length=100)
    """Words before every summary, as in `[staging]`."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return address_of(url)


class PagerdutyNotifier(HttpNotifier[PagerdutyConfig]):
    """Trigger and resolve one PagerDuty incident for each incident, with the analysis in its details."""

    service: ClassVar[str] = "pagerduty"
    rate: ClassVar[tuple[int, float]] = (120, 60.0)
    takes_digests: ClassVar[bool] = False
    remedy: ClassVar[str] = "Check routing_key and url."

    def notify(self, report: Report) -> Receipt:
        """Send the event; what is part of another incident since a storm pages nobody once more."""
        return Receipt() if report.part_of is not None else super().notify(report)

    def compose(self, report: Report) -> HttpRequest:
        """Return the event."""
        key = self.config.routing_key.get_secret_value()
        body = as_json(event(report, routing_key=key, prefix=self.config.prefix))
        return HttpRequest(self.config.url, body, {"Content-Type": "application/json"})

    def accept(self, url: str, answer: HttpAnswer) -> tuple[str, ...]:
        """Return PagerDuty's key of the incident; anything but success may pass."""
        if answer.fields.get("status") != "success":
            self.fail(url, "no success", answer.words)
        return (str(answer.fields.get("dedup_key", ""))[:255],)
