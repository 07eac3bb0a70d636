"""The notifier: settings, and who was already served when a delivery is tried again."""

from __future__ import annotations

import ssl
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from aiops_core import (
    Config,
    Context,
    Duration,
    Notifier,
    Receipt,
    RecipientResult,
    Report,
    Retry,
    Size,
    UserError,
)
from aiops_notifier_email.delivery import Answer, Server, deliver, log_in
from aiops_notifier_email.message import Mailbox, compose, message_id, parse_mailbox
from aiops_notifier_email.oauth import AccessTokens, OAuthConfig
from aiops_notifier_email.templates import Templates

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_REMEMBERED = 200
_PROBE = 20.0
"""Seconds that looking whether the login works may take."""


class EmailConfig(Config):
    """Where mail goes and how it gets there."""

    to: list[str] = Field(min_length=1)
    """Addresses that get every report, as in `oncall@example.org` or `On call <oncall@example.org>`."""
    host: str = Field(min_length=1)
    """Name of the mail server."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Port of the mail server; 587 when empty, 465 with `security: tls`, 25 with `security: none`."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`starttls` encrypts or does not send, `tls` is encrypted from the first byte, `none` is clear text."""
    ca_file: str = ""
    """File with the certificate authority to trust instead of the system's; relative to the pipeline file."""
    username: str = ""
    """Name to log in with; the sender's address when only a password is given."""
    password: SecretStr | None = None
    """Password to log in with; without one there is no login."""
    oauth: OAuthConfig | None = None
    """Where access tokens come from, to log in by XOAUTH2 instead of a password."""
    templates: str = ""
    """Directory with Jinja2 templates, `subject.txt.j2`, `body.txt.j2` or `body.html.j2`, that take the place
    of the built-in words; relative to the pipeline file."""
    sender: str = ""
    """Address the mail comes from; when empty the username if it is an address, else `aiops` at the first
    recipient's domain."""
    subject_prefix: str = ""
    """Words before every subject, as in `[staging]`."""
    attach: Size = 256 * 1024
    """Largest size of each attached file, the error and the tail of the log; 0 attaches nothing."""
    timeout: Duration = timedelta(seconds=60)
    """Longest time one delivery may take."""

    @field_validator("to", "sender")
    @classmethod
    def _check_addresses(cls, value: list[str] | str) -> list[str] | str:
        for text in [value] if isinstance(value, str) else value:
            if text:
                parse_mailbox(text)
        return value

    @model_validator(mode="after")
    def _check_login(self) -> Self:
        has_login = self.password is not None or self.oauth is not None
        if self.password is not None and self.oauth is not None:
            raise ValueError("two ways to log in: write `password` or `oauth`")
        if self.username and not has_login:
            raise ValueError("a username needs a password: write `password`, or leave the username out")
        if has_login and self.security == "none" and not _is_loopback(self.host):
            raise ValueError("the password would travel in clear text: write `security: starttls` or `tls`")
        return self

    @property
    def recipients(self) -> list[Mailbox]:
        """Who gets the mail, each once."""
        return list({mailbox.address: mailbox for mailbox in map(parse_mailbox, self.to)}.values())

    @property
    def from_mailbox(self) -> Mailbox:
        """Who the mail comes from."""
        if self.sender:
            return parse_mailbox(self.sender)
        if "@" in self.username:
            return parse_mailbox(self.username)
        return Mailbox(f"aiops@{self.recipients[0].domain}", "aiops-core")


class EmailNotifier(Notifier[EmailConfig]):
    """Send each report as a mail with text, HTML and the log attached, encrypted by default."""

    attempts: ClassVar[int] = 3
    retry_after: ClassVar[float] = 300.0

    def __init__(self, config: EmailConfig | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self._settled: OrderedDict[str, Mapping[str, Answer]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self) -> None:
        self.start()

    def start(self) -> None:
        """Open the certificate authority file and the templates; raise UserError when one cannot be used."""
        self._tls_context()
        _ = self._templates

    def probe(self) -> str:
        """Log in at the mail server, and leave again."""
        self.start()
        server = self._server()
        return log_in(replace(server, timeout=min(server.timeout, _PROBE)))

    def notify(self, report: Report) -> Receipt:
        """Send the mail to every recipient that an earlier try did not settle."""
        sender, recipients = self.config.from_mailbox, self.config.recipients
        raw = compose(
            report,
            self._templates.write(report),
            sender,
            recipients,
            prefix=self.config.subject_prefix,
            attach=self.config.attach,
            now=self.context.clock(),
        )
        with self._lock:
            settled = {**_told_before(self.context.served), **self._settled.get(report.key, {})}
        waiting = [box.address for box in recipients if box.address not in settled]
        server = self._server()
        try:
            answers = {**settled, **deliver(server, sender.address, waiting, raw)}
        except (Retry, UserError):
            if self._tokens is not None:
                self._tokens.forget()
            raise
        return self._receipt(server, report, sender, answers)

    def _receipt(
        self, server: Server, report: Report, sender: Mailbox, answers: Mapping[str, Answer]
    ) -> Receipt:
        results = tuple(answers[box.address].result(box.address) for box in self.config.recipients)
        refused = _listed([result for result in results if not result.accepted])
        if any(answer.is_deferred for answer in answers.values()):
            self._remember(report.key, answers)
            served = [result for result in results if not answers[result.recipient].is_deferred]
            raise Retry(f"{server}: not every recipient was served yet ({refused}).", served=served)
        if not any(result.accepted for result in results):
            raise UserError(f"{server}: every recipient was refused ({refused}). Correct `to`.")
        if refused:
            self.context.logger.warning("%s: some recipients were refused (%s)", server, refused)
        return Receipt(ids=(message_id(report, sender.domain),), recipients=results)

    def _remember(self, key: str, answers: Mapping[str, Answer]) -> None:
        """Keep who needs no second mail, also where no host remembers it."""
        with self._lock:
            self._settled[key] = {each: said for each, said in answers.items() if not said.is_deferred}
            while len(self._settled) > _REMEMBERED:
                self._settled.popitem(last=False)

    def _server(self) -> Server:
        config = self.config
        password = config.password.get_secret_value() if config.password else ""
        context, timeout = self._tls_context(), config.timeout.total_seconds()
        token, is_new = self._tokens.get(context=context, timeout=timeout) if self._tokens else ("", True)
        return Server(
            host=config.host,
            port=config.port or _PORTS[config.security],
            security=config.security,
            context=context,
            username=(config.username or config.from_mailbox.address) if password or token else "",
            password=password,
            timeout=timeout,
            token=token,
            is_token_new=is_new,
        )

    @cached_property
    def _tokens(self) -> AccessTokens | None:
        return AccessTokens(self.config.oauth, self.context.clock) if self.config.oauth else None

    @cached_property
    def _templates(self) -> Templates:
        directory = self.context.directory / self.config.templates if self.config.templates else None
        return Templates(directory, self.context.logger)

    def _tls_context(self) -> ssl.SSLContext | None:
        if self.config.security == "none":
            return None
        file = self.context.directory / self.config.ca_file if self.config.ca_file else None
        try:
            return ssl.create_default_context(cafile=file)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"ca_file: {file}: {reason}. Name a file with PEM certificates.") from None


def _told_before(served: Mapping[str, RecipientResult]) -> dict[str, Answer]:
    """Return what the server said about recipients in an earlier try, as the host remembers it."""
    said = {address: result.detail.partition(" ") for address, result in served.items()}
    return {address: Answer(int(code), text) for address, (code, _, text) in said.items() if code.isdecimal()}


def _listed(results: list[RecipientResult]) -> str:
    return ", ".join(f"{result.recipient}: {result.detail}" for result in results)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
