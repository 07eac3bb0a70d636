"""The notifier: a signed robot's address, a card or Markdown, and what its error codes mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import quote_plus

from pydantic import SecretStr

from aiops_core import (
    ChatNotifierConfig,
    HttpAnswer,
    HttpNotifier,
    HttpRequest,
    MarkdownStyle,
    Remedy,
    Report,
    as_json,
    outline_brief,
    quoted_block,
    render_markdown,
    render_subject,
    widen_markup,
)

_LIMIT = 18_000
"""Bytes of text in a body that may have 20,000."""
_LOCKED_OUT = 600.0
_LINE_END = "  \n"
_STYLE = MarkdownStyle(
    escape=widen_markup,
    code=lambda text: quoted_block(text, _LINE_END),
    line_end=_LINE_END,
    length=lambda text: len(as_json(text)),
)
_ADDRESS = "Copy the robot's address again."
_CONTENT = "DingTalk's filter stopped it: what the log says may look unsafe to it."


class DingtalkConfig(ChatNotifierConfig):
    """Which robot tells the group."""

    secret: SecretStr | None = None
    """Secret of a robot with the signature setting, it begins with `SEC`; none where it has other settings."""


class DingtalkNotifier(HttpNotifier[DingtalkConfig]):
    """Tell a DingTalk group through its robot: Markdown, or a card with a button to review a fix."""

    service: ClassVar[str] = "dingtalk"
    rate: ClassVar[tuple[int, float]] = (20, 60.0)
    remedy: ClassVar[str] = "Check url and secret."
    remedies: ClassVar[Mapping[str, Remedy]] = MappingProxyType(
        {
            "-1": Remedy(wait=0.0),
            "130101": Remedy(wait=_LOCKED_OUT),
            "410100": Remedy(wait=_LOCKED_OUT),
            "310000": Remedy(
                "Write the robot's keyword in `prefix`, check `secret` and this machine's clock, or allow its address."
            ),
            "300001": Remedy(_ADDRESS),
            "400101": Remedy(_ADDRESS),
            "400106": Remedy(_ADDRESS),
            "400013": Remedy("The group is gone: make a robot in another one."),
            "400102": Remedy("The robot is switched off: switch it on in the group's settings."),
            "40035": Remedy("Report this as a bug."),
            "400105": Remedy("Report this as a bug."),
            "430101": Remedy(_CONTENT),
            "430102": Remedy(_CONTENT),
            "430104": Remedy(_CONTENT),
        }
    )

    def compose(self, report: Report) -> HttpRequest:
        """Return the message, its address signed."""
        return HttpRequest(
            self._signed_address(), as_json(self._message(report)), {"Content-Type": "application/json"}
        )

    def accept(self, url: str, answer: HttpAnswer) -> tuple[str, ...]:
        """Take ``errcode`` 0 only: DingTalk answers 200 to everything."""
        code = answer.fields.get("errcode")
        if code != 0:
            said = str(answer.fields.get("errmsg", answer.words))
            self.fail(url, "no errcode" if code is None else code, said[:200])
        return ()

    def _message(self, report: Report) -> dict[str, Any]:  # Any: JSON of DingTalk's shape
        text = render_markdown(report, _STYLE, prefix=self.config.prefix, limit=_LIMIT)
        title = widen_markup(" ".join(filter(None, (self.config.prefix, render_subject(report)))))
        links = [
            part for each in outline_brief(report).sections for part in each.parts if part.kind == "link"
        ]
        if not links:
            return {"msgtype": "markdown", "markdown": {"title": title, "text": text}}
        card = {"title": title, "text": text, "singleTitle": links[0].text, "singleURL": links[0].url}
        return {"msgtype": "actionCard", "actionCard": card}

    def _signed_address(self) -> str:
        url = self.config.address
        if self.config.secret is None:
            return url
        timestamp = round(self.context.clock().timestamp() * 1000)
        sign = signature(self.config.secret.get_secret_value(), timestamp)
        joint = "&" if "?" in url else "?"
        return f"{url}{joint}timestamp={timestamp}&sign={quote_plus(sign)}"


def signature(secret: str, timestamp: int) -> str:
    """Return what DingTalk expects beside a timestamp in milliseconds."""
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
