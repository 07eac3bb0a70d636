"""The notifier: settings, one thread an incident, and what Slack's error words mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from aiops_core import (
    HttpAnswer,
    HttpNotifier,
    HttpNotifierConfig,
    HttpRequest,
    Receipt,
    RecipientResult,
    Remedy,
    Report,
    Retry,
    UserError,
    address_of,
    as_json,
    trouble_of,
)
from aiops_notifier_slack.blocks import message
from aiops_notifier_slack.threads import Thread, Threads

if TYPE_CHECKING:
    from aiops_core import Incident

_POST, _UPDATE = "chat.postMessage", "chat.update"
_TOKEN = Remedy("Check `token`: make the app's bot token anew.")
_BUG = Remedy("Report this as a bug.")
_LATER = Remedy(wait=0.0)


class SlackConfig(HttpNotifierConfig):
    """Which channel is told, by an incoming webhook or by a bot."""

    url: SecretStr | None = None
    """Address of an incoming webhook; each report is then a message of its own."""
    token: SecretStr | None = None
    """Bot token (`xoxb-…`) with the scope `chat:write`; each incident then has one thread."""
    channel: str = ""
    """Id or name of the channel the bot tells, as in `C0123456789`."""
    base_url: str = "https://slack.com/api/"
    """Address of the Web API."""
    prefix: str = Field(default="", max_length=100)
    """Words before every title, as in `[staging]`."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            address_of(url.get_secret_value())
        return url

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, url: str) -> str:
        return address_of(url)

    @model_validator(mode="after")
    def _check_way(self) -> Self:
        if (self.url is None) == (self.token is None):
            raise ValueError("one way is needed: write `url` of a webhook, or `token` and `channel` of a bot")
        if self.token is not None and not self.channel:
            raise ValueError("a bot needs to know where: write `channel`")
        return self


class SlackNotifier(HttpNotifier[SlackConfig]):
    """Tell a Slack channel: by a bot one thread an incident, its first message kept up to date."""

    service: ClassVar[str] = "slack"
    rate: ClassVar[tuple[int, float]] = (1, 1.0)
    remedy: ClassVar[str] = "Check url, token and channel."
    remedies: ClassVar[Mapping[str, Remedy]] = MappingProxyType(
        {
            "ratelimited": Remedy(wait=30.0),
            "internal_error": _LATER,
            "fatal_error": _LATER,
            "invalid_auth": _TOKEN,
            "not_authed": _TOKEN,
            "token_revoked": _TOKEN,
            "token_expired": _TOKEN,
            "account_inactive": _TOKEN,
            "missing_scope": Remedy("Give the app the scope chat:write and install it again."),
            "channel_not_found": Remedy("Check `channel`: write its id; the bot must see it."),
            "not_in_channel": Remedy("Invite the bot into the channel."),
            "is_archived": Remedy("The channel is archived: name another one."),
            "restricted_action": Remedy("The workspace does not let the bot write there."),
            "msg_too_long": _BUG,
            "msg_blocks_too_long": _BUG,
            "invalid_blocks": _BUG,
            "invalid_blocks_format": _BUG,
            "message_not_found": Remedy("The message is gone from the channel."),
            "thread_not_found": Remedy("The message is gone from the channel."),
            "cant_update_message": Remedy("The message is not the bot's own."),
            "edit_window_closed": Remedy("The workspace closes messages after a while."),
        }
    )

    def probe(self) -> str:
        """Ask who the bot is; of a webhook only whether Slack is there, for asking more would tell people."""
        if self.config.token is None:
            return super().probe()
        request = self._request("auth.test", {})
        answer = self.exchange(request)
        if answer.fields.get("ok") is not True:
            self.fail(request.url, answer.fields.get("error", "no ok"), "")
        return f"{self.where(request.url)}: logged in as {answer.fields.get('user', 'a bot')}"

    def notify(self, report: Report) -> Receipt:
        """Tell the channel; a report whose thread holds it already is not told again."""
        if self.config.token is None or report.incident is None:
            return super().notify(report)
        ids = self._tell_thread(report, report.incident)
        where = RecipientResult(self.config.channel, accepted=True)
        return Receipt(ids=(report.key, *ids), recipients=(where,))

    def compose(self, report: Report) -> HttpRequest:
        """Return the report as a message of its own."""
        fields = message(report, prefix=self.config.prefix)
        if self.config.url is not None:
            return HttpRequest(self.config.url.get_secret_value(), as_json(fields))
        return self._request(_POST, {**fields, "channel": self.config.channel})

    def exchange(self, request: HttpRequest) -> HttpAnswer:
        """Return what Slack answers to its SDK."""
        from aiohttp import ClientError

        from aiops_notifier_slack import transport

        timeout, where = self.config.timeout.total_seconds(), self.where(request.url)
        limits = {"context": self.tls_context(), "timeout": timeout}
        fields = json.loads(request.body)
        try:
            if self.config.token is None:
                return transport.post(request.url, fields, **limits)  # type: ignore[arg-type]  # see limits
            method, token = request.url.rpartition("/")[2], self.config.token.get_secret_value()
            return transport.call(self.config.base_url, token, method, fields, **limits)  # type: ignore[arg-type]
        except TimeoutError:
            raise Retry(f"{where}: no answer within {timeout:g} s.") from None
        except (ClientError, OSError) as error:
            raise trouble_of(where, error) from None

    def accept(self, url: str, answer: HttpAnswer) -> tuple[str, ...]:
        """Take ``ok`` only; return channel and time of a bot's message, its id."""
        if self.config.token is None:
            if answer.body.strip() != b"ok":
                self.fail(url, "no ok", answer.words)
            return ()
        fields = answer.fields
        if fields.get("ok") is not True:
            self.fail(url, fields.get("error", "no ok"), "" if "error" in fields else answer.words)
        return (str(fields.get("channel", "")), str(fields.get("ts", "")))

    def _tell_thread(self, report: Report, incident: Incident) -> tuple[str, ...]:
        about = f"{report.pipeline}/{incident.fingerprint}"
        fields = message(report, prefix=self.config.prefix)
        thread = self._threads.of(about)
        if thread is not None and not self._reply(thread, report, fields):
            self._threads.forget(about)
            thread = None
        if thread is None:
            request = self._request(_POST, {**fields, "channel": self.config.channel})
            thread = Thread(*self.send(report.key, request))
            self._threads.begin(about, thread, report.key)
        return (thread.channel, thread.ts)

    def _reply(self, thread: Thread, report: Report, fields: dict[str, object]) -> bool:
        """Tell the thread and bring its first message up to date; False when the thread is gone."""
        if not self._threads.is_told(report.key):
            reply = self._request(_POST, {**fields, "channel": thread.channel, "thread_ts": thread.ts})
            try:
                self.send(report.key, reply)
            except UserError as error:
                if "(thread_not_found)" in str(error) or "(message_not_found)" in str(error):
                    return False
                raise
            self._threads.told(report.key)
        first = {
            "channel": thread.channel,
            "ts": thread.ts,
            "text": fields["text"],
            "blocks": fields["blocks"],
        }
        try:
            self.send_now(self._request(_UPDATE, first))
        except UserError as error:  # the thread has the report: enough
            self.context.logger.warning("%s", error)
        return True

    def _request(self, method: str, fields: Mapping[str, object]) -> HttpRequest:
        return HttpRequest(f"{self.config.base_url.rstrip('/')}/{method}", as_json(fields))

    @cached_property
    def _threads(self) -> Threads:
        return Threads(self.context.scratch)
