"""The notifier: settings, headers and the signature."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator

from aiops_core import (
    REPORT_VERSION,
    HttpNotifier,
    HttpNotifierConfig,
    HttpRequest,
    Report,
    Size,
    __version__,
    network_of,
    report_data,
)

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = ("aiops-", "x-aiops-")
_RESERVED = frozenset(
    {"content-length", "content-type", "host", "idempotency-key", "transfer-encoding", "connection"}
)


class WebhookConfig(HttpNotifierConfig):
    """Where reports are posted."""

    url: str = Field(repr=False)
    """Address that gets each report as a POST; http or https."""
    allow_private: list[str] = Field(default=[])
    """Private networks its name may lead to, as in `10.0.0.0/8`; every other address of a private network, of
    this machine (but `localhost`, written so) or of a cloud's inside is refused, whatever name leads there."""
    secret: SecretStr | None = None
    """Key of the HMAC-SHA256 signature; without one nothing is signed."""
    headers: dict[str, SecretStr] = Field(default={})
    """Headers sent along, as in `Authorization: "Bearer ${env:TOKEN}"`."""
    limit: Size = Field(default=64 * 1024, ge=1024)
    """Largest size of one text in the body, such as the logged error or the diff; the middle is left out."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("no web address: write http://host/path or https://host/path")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a login in the address: write it as `headers: {Authorization: …}` instead")
        if not url.isascii() or not url.isprintable() or " " in url:
            raise ValueError("signs that no address has: write them percent-encoded")
        return url

    @field_validator("allow_private")
    @classmethod
    def _check_networks(cls, networks: list[str]) -> list[str]:
        return [str(network_of(network)) for network in networks]

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no header name: use letters, digits and dashes")
            if name.lower() in _RESERVED or name.lower().startswith(_OURS):
                raise ValueError(f"the header {name} is set by this notifier: leave it out")
            text = value.get_secret_value()
            if not text.isascii() or not text.isprintable():
                raise ValueError(f"the value of header {name} has signs no header may have: use plain ASCII")
        return headers


class WebhookNotifier(HttpNotifier[WebhookConfig]):
    """Post each report as JSON, signed, with a key by which a receiver can drop repeats."""

    service: ClassVar[str] = "webhook"
    rate: ClassVar[tuple[int, float]] = (600, 60.0)
    remedy: ClassVar[str] = "Check url, headers and secret."

    def compose(self, report: Report) -> HttpRequest:
        """Return the report as JSON in ASCII, its signature in a header."""
        content = json.dumps(report_data(report, limit=self.config.limit), allow_nan=False).encode("ascii")
        now = self.context.clock()
        headers = self._headers(report, content, int(now.timestamp()))
        allowed = tuple(map(network_of, self.config.allow_private))
        return HttpRequest(self.config.url, content, headers, allowed=allowed)

    def _headers(self, report: Report, content: bytes, timestamp: int) -> Mapping[str, str]:
        headers = {name: value.get_secret_value() for name, value in self.config.headers.items()}
        headers |= {
            "Content-Type": "application/json",
            "Idempotency-Key": quote(report.key, safe="!#$&'()*+,/:;=?@[]~", errors="replace"),
            "X-Aiops-Version": str(REPORT_VERSION),
            "X-Aiops-Timestamp": str(timestamp),
        }
        if not any(name.lower() == "user-agent" for name in headers):
            headers["User-Agent"] = f"aiops-core/{__version__}"
        if self.config.secret is not None:
            headers["X-Aiops-Signature"] = signature(
                self.config.secret.get_secret_value(), timestamp, content
            )
        return headers


def signature(secret: str, timestamp: int, content: bytes) -> str:
    """Return ``sha256=`` and the HMAC-SHA256 of ``timestamp.content`` in hexadecimal."""
    signed = f"{timestamp}.".encode() + content
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
