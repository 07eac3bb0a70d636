"""The notifier: Markdown for a group's robot, and what its error codes mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from aiops_core import (
    ChatNotifierConfig,
    HttpAnswer,
    HttpNotifier,
    HttpRequest,
    MarkdownStyle,
    Remedy,
    Report,
    as_json,
    quoted_block,
    render_markdown,
    widen_markup,
)

_LIMIT = 4_096
_STYLE = MarkdownStyle(
    escape=widen_markup,
    code=lambda text: quoted_block(text, "\n"),
    length=lambda text: len(text.encode()),
)
_BUG = Remedy("Report this as a bug.")


class WecomConfig(ChatNotifierConfig):
    """Which robot tells the group."""


class WecomNotifier(HttpNotifier[WecomConfig]):
    """Tell a WeCom (企业微信) group through its robot."""

    service: ClassVar[str] = "wecom"
    rate: ClassVar[tuple[int, float]] = (20, 60.0)
    remedy: ClassVar[str] = "Check url."
    remedies: ClassVar[Mapping[str, Remedy]] = MappingProxyType(
        {
            "-1": Remedy(wait=0.0),
            "45009": Remedy(wait=60.0),
            "93000": Remedy(
                "Copy the robot's address again: the key in it is not known, or the robot is gone."
            ),
            "40008": _BUG,
            "40058": _BUG,
            "44004": _BUG,
            "45002": _BUG,
        }
    )

    def compose(self, report: Report) -> HttpRequest:
        """Return the report as Markdown, as long as WeCom takes it."""
        text = render_markdown(report, _STYLE, prefix=self.config.prefix, limit=_LIMIT)
        message = {"msgtype": "markdown", "markdown": {"content": text}}
        return HttpRequest(self.config.address, as_json(message), {"Content-Type": "application/json"})

    def accept(self, url: str, answer: HttpAnswer) -> tuple[str, ...]:
        """Take ``errcode`` 0 only: WeCom answers 200 to everything."""
        code = answer.fields.get("errcode")
        if code != 0:
            said = str(answer.fields.get("errmsg", answer.words))
            self.fail(url, "no errcode" if code is None else code, said[:200])
        return ()
