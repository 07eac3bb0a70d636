"""The ancestor of notifiers that post: what each answer means, and how fast it may be asked."""

from __future__ import annotations

import re
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from typing import ClassVar, Generic
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct
from pydantic import Field, SecretStr, field_validator
from typing_extensions import TypeVar

from aiops_core.component import Notifier
from aiops_core.config import Config, Duration
from aiops_core.context import Context
from aiops_core.errors import NotYet, Retry, UserError
from aiops_core.polling.source import parse_retry_after
from aiops_core.posting.exchange import HttpAnswer, HttpRequest, address_of, http_post, http_reach, origin_of
from aiops_core.posting.pace import Pace
from aiops_core.records import Receipt, RecipientResult, Report
from aiops_core.text.redaction import Redactor

_MAY_PASS = frozenset({408, 409, 425, 429})
_PROBE = 15.0
"""Seconds that looking whether somebody is there may take."""
_LATE = 0.5
"""Seconds a message comes later than it may: clocks differ."""
_TOKEN = re.compile(r"(?=\D*\d)\S{8,}|\S{20,}")
"""A part of an address that may be a token."""


class HttpNotifierConfig(Config):
    """What every notifier that posts can be told."""

    ca_file: str = ""
    """File with the certificate authority to trust instead of the system's; relative to the pipeline file."""
    timeout: Duration = timedelta(seconds=15)
    """Longest time one delivery may take."""


class ChatNotifierConfig(HttpNotifierConfig):
    """What every notifier can be told that posts to the secret address of a chat."""

    url: SecretStr
    """Address that the service gave out for the chat; whoever has it can write there."""
    prefix: str = Field(default="", max_length=100)
    """Words before every title, as in `[staging]`; a keyword that a robot insists on can stand here."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        address_of(url.get_secret_value())
        return url

    @property
    def address(self) -> str:
        """The address itself."""
        return self.url.get_secret_value()


P = TypeVar("P", bound=HttpNotifierConfig, default=HttpNotifierConfig)


class Remedy(Struct, frozen=True):
    """What to do about an error code; with ``wait`` it may pass after so many seconds (0: as usual)."""

    text: str = ""
    wait: float | None = None


class HttpNotifier(Notifier[P], ABC, Generic[P]):
    """Post each report as one message.

    ``service`` names the target in errors, ``rate`` is how many messages it takes in how many
    seconds, ``remedies`` what to do about the codes it answers with.
    """

    attempts: ClassVar[int] = 10
    retry_after: ClassVar[float] = 60.0
    service: ClassVar[str]
    rate: ClassVar[tuple[int, float]]
    remedy: ClassVar[str] = "Check the address and its secret."
    remedies: ClassVar[Mapping[str, Remedy]] = {}

    def __init__(self, config: P | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self._pace = Pace(*self.rate)  # before there are threads, which share it

    @abstractmethod
    def compose(self, report: Report) -> HttpRequest:
        """Return what is posted."""

    def accept(self, url: str, answer: HttpAnswer) -> tuple[str, ...]:
        """Return the ids a 2xx answer gives; raise when its body tells of a failure."""
        return ()

    def check(self) -> None:
        """Open the certificate authority file."""
        self.tls_context()

    def start(self) -> None:
        """Open the certificate authority file; raise UserError when it cannot be used."""
        self.tls_context()

    def notify(self, report: Report) -> Receipt:
        """Post the report when its turn has come; raise Retry or UserError when it was not taken."""
        request = self.compose(report)
        ids = self.send(report.key, request)
        result = RecipientResult(origin_of(request.url), accepted=True)
        return Receipt(ids=(report.key, *ids), recipients=(result,))

    def probe(self) -> str:
        """See that somebody answers where reports are posted; whether they would be taken is not asked."""
        self.start()
        request = self.compose(Report("probe", "fault", self.context.pipeline, "probe"))
        timeout = min(self.config.timeout.total_seconds(), _PROBE)
        return http_reach(self.where(request.url), request, context=self.tls_context(), timeout=timeout)

    def send(self, key: str, request: HttpRequest) -> tuple[str, ...]:
        """Post when the turn of this key has come; return the ids that came back."""
        if wait := self._pace.wait(key):
            raise NotYet(f"{self.where(request.url)}: waits for its turn.", after=wait + _LATE)
        return self.send_now(request)

    def send_now(self, request: HttpRequest) -> tuple[str, ...]:
        """Post whosever turn it is: for what the service does not count."""
        answer = self.exchange(request)
        self._judge(request.url, answer)
        return self.accept(request.url, answer)

    def exchange(self, request: HttpRequest) -> HttpAnswer:
        """Return what is answered, whatever it is; raise when nothing is."""
        timeout = self.config.timeout.total_seconds()
        return http_post(self.where(request.url), request, context=self.tls_context(), timeout=timeout)

    def where(self, url: str) -> str:
        """Return the target's name for errors."""
        return f"{self.service} to {origin_of(url)}"

    def fail(self, url: str, code: object, said: str) -> None:
        """Raise what an error code in the body means: one without a remedy may pass."""
        remedy = self.remedies.get(str(code), Remedy(wait=0.0))
        told = self._hidden(f"{code} {said}".strip())
        if remedy.wait is None:
            raise UserError(f"{self.where(url)}: refused ({told}). {remedy.text or self.remedy}")
        if remedy.wait:
            self._pace.close(remedy.wait)
        raise Retry(f"{self.where(url)}: not now ({told}).", after=remedy.wait)

    def _judge(self, url: str, answer: HttpAnswer) -> None:
        """Raise Retry for a status that may pass and UserError for one that will not."""
        if 200 <= answer.status < 300:
            return
        where, said = self.where(url), self._hidden(f"{answer.status} {answer.words}".strip())
        if answer.status >= 500 or answer.status in _MAY_PASS:
            after = self.wait_of(answer)
            if after:
                self._pace.close(after)
            raise Retry(f"{where}: not now ({said}).", after=after)
        if 300 <= answer.status < 400:
            raise UserError(
                f"{where}: it redirects ({answer.status}), which is never followed. Write the final address."
            )
        raise UserError(f"{where}: refused ({said}). {self.remedy}")

    def wait_of(self, answer: HttpAnswer) -> float:
        """Return the seconds the target asks to wait; 0 when it says nothing."""
        return parse_retry_after(answer.retry_after, self.context.clock())

    @cached_property
    def _redactor(self) -> Redactor:
        return Redactor(_secrets(self.config))

    def _hidden(self, text: str) -> str:
        return self._redactor.redact(text)

    def tls_context(self) -> ssl.SSLContext | None:
        """Return what trusts `ca_file`, None without one; raise UserError when it cannot be read."""
        if not self.config.ca_file:
            return None
        file = self.context.directory / self.config.ca_file
        try:
            return ssl.create_default_context(cafile=file)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"ca_file: {file}: {reason}. Name a file with PEM certificates.") from None


def _secrets(config: Config) -> Iterator[str]:
    """Yield every secret of the settings, and the parts of a secret address that may be tokens."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        for each in value.values() if isinstance(value, dict) else (value,):
            if isinstance(each, SecretStr):
                yield (text := each.get_secret_value())
                yield from _tokens(text)


def _tokens(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    if parts.scheme in ("http", "https"):
        pieces = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
        yield from (piece for piece in pieces if _TOKEN.fullmatch(piece))
