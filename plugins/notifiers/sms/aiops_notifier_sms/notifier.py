"""The notifier: settings, one message a number, and who was already served when it is tried again."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from aiops_core import (
    Context,
    HttpAnswer,
    HttpNotifier,
    HttpNotifierConfig,
    HttpRequest,
    Receipt,
    RecipientResult,
    Report,
    Retry,
    Severity,
    UserError,
    address_of,
)
from aiops_notifier_sms.signing import Signer, aliyun, basic, tencent
from aiops_notifier_sms.template import Template, body_of, look_up, unknown_names, values_of

_NUMBER = re.compile(r"\+?\d{5,15}")
_MAY_PASS = re.compile(r"limit|throttl|busy|internal|unavailable|timeout|system_?error", re.IGNORECASE)
_REMEMBERED = 200


def _only_critical() -> list[Severity]:
    return ["critical"]


class SmsConfig(HttpNotifierConfig):
    """Which service sends, what it is asked, and which phones get it."""

    to: list[str] = Field(min_length=1)
    """Phone numbers, as the service wants them: `+8613800000000`, `13800000000`."""
    url: str
    """Address of the service's API."""
    fields: dict[str, Template] = Field(min_length=1)
    """What is posted: `{to}`, `{text}`, `{title}`, `{severity}`, `{pipeline}` and `{id}` are filled in."""
    format: Literal["form", "json"] = "form"
    """How the fields are written; what is no text stands in a form as JSON."""
    sign: Literal["none", "basic", "aliyun", "tencent"] = "none"
    """How the service knows who asks: `basic` is a login, as for Twilio."""
    key_id: str = ""
    """Name that goes with the secret: an account, an access key's id."""
    key_secret: SecretStr | None = None
    """Secret of the account or of the access key."""
    action: str = "SendSms"
    """Action of the API, for `aliyun` and `tencent`."""
    version: str = ""
    """Version of the API; `2017-05-25` when empty for `aliyun`, `2021-01-11` for `tencent`."""
    region: str = "ap-guangzhou"
    """Region of the API, for `tencent`."""
    success: dict[str, str] = Field(default={})
    """What an answer must hold, as in `Code: OK`; a path goes inside, `Response.SendStatusSet.0.Code`."""
    limit: int = Field(default=140, ge=10, le=1600)
    """Longest text in characters; 70 fit one message in Chinese, 160 in plain English."""
    severities: list[Severity] = Field(default_factory=_only_critical)
    """Reports of these severities are sent, no others."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return address_of(url)

    @field_validator("to")
    @classmethod
    def _check_numbers(cls, numbers: list[str]) -> list[str]:
        for number in numbers:
            if not _NUMBER.fullmatch(number):
                raise ValueError(
                    f"{number!r} is no phone number: write digits, with + and the country before"
                )
        return list(dict.fromkeys(numbers))

    @field_validator("fields")
    @classmethod
    def _check_names(cls, fields: dict[str, Template]) -> dict[str, Template]:
        for name in sorted(unknown_names(fields)):
            raise ValueError(
                f"{{{name}}} stands for nothing: write {{to}}, {{text}}, {{title}} or {{severity}}"
            )
        return fields

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.sign != "none" and not (self.key_id and self.key_secret):
            raise ValueError(f"sign {self.sign} needs both: write `key_id` and `key_secret`")
        return self


class SmsNotifier(HttpNotifier[SmsConfig]):
    """Tell phones by short message through Aliyun, Tencent, Twilio or alike; critical reports only."""

    service: ClassVar[str] = "sms"
    rate: ClassVar[tuple[int, float]] = (10, 60.0)
    remedy: ClassVar[str] = "Check url, key_id, key_secret and fields."

    def __init__(self, config: SmsConfig | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self._settled: OrderedDict[tuple[str, str], RecipientResult] = OrderedDict()
        self._lock = threading.Lock()

    def notify(self, report: Report) -> Receipt:
        """Send to every number an earlier try did not settle; one that is refused keeps none from the rest."""
        if report.severity not in self.config.severities:
            detail = f"not sent: {report.severity} is not among severities"
            return Receipt((report.key,), (RecipientResult("sms", accepted=False, detail=detail),))
        results: list[RecipientResult] = []
        put_off: Retry | None = None
        refused: UserError | None = None
        for number in self.config.to:
            try:
                results.append(self._tell(report, number))
            except Retry as error:
                put_off = put_off or error
            except UserError as error:
                refused = error
                results.append(
                    self._settle(report, RecipientResult(number, accepted=False, detail=str(error)))
                )
        if put_off is not None:
            raise type(put_off)(str(put_off), after=put_off.after, served=results)
        if refused is not None and not any(result.accepted for result in results):
            raise refused
        return Receipt((report.key,), tuple(results))

    def compose(self, report: Report) -> HttpRequest:
        """Return the request for the first number."""
        return self._request(report, self.config.to[0])

    def accept(self, url: str, answer: HttpAnswer) -> tuple[str, ...]:
        """Look at what must stand in the answer; codes that speak of limits or trouble may pass."""
        wanted = self.config.success
        if all(look_up(answer.fields, path) == expected for path, expected in wanted.items()):
            return ()
        where, said = self.where(url), self._hidden(answer.words)
        if not answer.fields or _MAY_PASS.search(said):
            raise Retry(f"{where}: not now ({said}).")
        raise UserError(f"{where}: refused ({said}). {self.remedy}")

    def _tell(self, report: Report, number: str) -> RecipientResult:
        if known := self.context.served.get(number) or self._settled.get((report.key, number)):
            return known
        self.send(f"{report.key}/{number}", self._request(report, number))
        return self._settle(report, RecipientResult(number, accepted=True))

    def _settle(self, report: Report, result: RecipientResult) -> RecipientResult:
        with self._lock:
            self._settled[report.key, result.recipient] = result
            while len(self._settled) > max(_REMEMBERED, len(self.config.to)):
                self._settled.popitem(last=False)
        return result

    def _request(self, report: Report, number: str) -> HttpRequest:
        config = self.config
        is_json = config.format == "json"
        kind = "application/json; charset=utf-8" if is_json else "application/x-www-form-urlencoded"
        body = body_of(config.fields, values_of(report, number, config.limit), is_json=is_json)
        return HttpRequest(config.url, body, {"Content-Type": kind, **self._proof(kind, body)})

    def _proof(self, kind: str, body: bytes) -> Mapping[str, str]:
        config, now = self.config, self.context.clock()
        secret = config.key_secret.get_secret_value() if config.key_secret else ""
        usual = "2017-05-25" if config.sign == "aliyun" else "2021-01-11"
        signer = Signer(config.key_id, secret, config.action, config.version or usual, config.region)
        if config.sign == "basic":
            return basic(signer)
        if config.sign == "aliyun":
            return aliyun(signer, config.url, kind, body, now)
        return tencent(signer, config.url, kind, body, now) if config.sign == "tencent" else {}
