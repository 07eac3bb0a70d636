"""The notifier: one embed a report, nobody mentioned."""

from __future__ import annotations

from typing import ClassVar

from aiops_core import (
    ChatNotifierConfig,
    HttpAnswer,
    HttpNotifier,
    HttpRequest,
    MarkdownStyle,
    Report,
    as_json,
    defuse,
    escape_markdown,
    render_markdown,
)

_LIMIT = 4_096
_COLORS = {"critical": 0x7A1128, "error": 0xC4291C, "warning": 0xE0A100, "info": 0x175CD3}


def _code(text: str) -> str:
    return f"```\n{defuse(text).replace('```', 'ˋˋˋ')}\n```"


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


_STYLE = MarkdownStyle(escape=escape_markdown, code=_code, length=_length)


class DiscordConfig(ChatNotifierConfig):
    """Which webhook tells the channel."""


class DiscordNotifier(HttpNotifier[DiscordConfig]):
    """Tell a Discord channel through its webhook: one embed, coloured by severity."""

    service: ClassVar[str] = "discord"
    rate: ClassVar[tuple[int, float]] = (5, 10.0)  # 30 a minute
    remedy: ClassVar[str] = "Check url: is the webhook still there?"

    def compose(self, report: Report) -> HttpRequest:
        """Return the report as an embed; the answer then holds the message's id."""
        text = render_markdown(report, _STYLE, prefix=self.config.prefix, limit=_LIMIT)
        message = {
            "embeds": [{"description": text, "color": _COLORS[report.severity]}],
            "allowed_mentions": {"parse": []},
        }
        url = self.config.address
        return HttpRequest(
            f"{url}{'&' if '?' in url else '?'}wait=true",
            as_json(message),
            {"Content-Type": "application/json"},
        )

    def probe(self) -> str:
        """Ask what the webhook is: Discord answers that without telling anybody."""
        self.send_now(HttpRequest(self.config.address, b"", method="GET"))
        return f"{self.where(self.config.address)}: the webhook is there"

    def accept(self, url: str, answer: HttpAnswer) -> tuple[str, ...]:
        """Return the message's id; an answer without one tells of no message."""
        if "id" not in answer.fields:
            self.fail(url, answer.fields.get("code", "no id"), answer.words)
        return (str(answer.fields["id"])[:100],)

    def wait_of(self, answer: HttpAnswer) -> float:
        """Return the seconds to wait; the body says it to the millisecond."""
        seconds = answer.fields.get("retry_after")
        exact = float(seconds) if isinstance(seconds, int | float) and 0 <= seconds <= 86_400 else 0.0
        return exact or super().wait_of(answer)
