"""Access tokens instead of a password: asked for when needed, kept until they end."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from pydantic import SecretStr, field_validator

from aiops_core import (
    Config,
    HttpAnswer,
    HttpRequest,
    Retry,
    UserError,
    address_of,
    clean,
    http_post,
    origin_of,
)

_EARLY = timedelta(minutes=2)
_USUAL = timedelta(minutes=5)


class OAuthConfig(Config):
    """Who asks whom for access tokens."""

    token_url: str
    """Address that gives out access tokens, as in `https://oauth2.googleapis.com/token`."""
    client_id: str
    """Id of the registered application."""
    client_secret: SecretStr | None = None
    """Secret of the registered application, where it has one."""
    refresh_token: SecretStr | None = None
    """Token of the mailbox's owner; without one the application asks for itself (client credentials)."""
    scope: str = ""
    """What is asked for, as in `https://outlook.office365.com/.default`."""

    @field_validator("token_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return address_of(url)


class AccessTokens:
    """Give out an access token that is still good; threads may share it."""

    def __init__(self, config: OAuthConfig, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until: datetime | None = None

    def get(self, *, context: ssl.SSLContext | None, timeout: float) -> tuple[str, bool]:
        """Return a token and whether it is new; raise Retry or UserError when there is none."""
        with self._lock:
            if self._token and self._until is not None and self._clock() < self._until:
                return self._token, False
            request = HttpRequest(self._config.token_url, self._body(), _FORM)
            answer = http_post(self._where, request, context=context, timeout=timeout)
            self._token = self._read(answer)
            seconds = answer.fields.get("expires_in")
            length = timedelta(seconds=seconds) if isinstance(seconds, int) else _USUAL
            self._until = self._clock() + length - _EARLY
            return self._token, True

    def forget(self) -> None:
        """Ask for a new token next time: the mail server did not take this one."""
        with self._lock:
            self._token = ""

    @property
    def _where(self) -> str:
        return f"email: access token from {origin_of(self._config.token_url)}"

    def _body(self) -> bytes:
        config = self._config
        fields = {"client_id": config.client_id, "grant_type": "client_credentials"}
        if config.refresh_token is not None:
            fields |= {
                "grant_type": "refresh_token",
                "refresh_token": config.refresh_token.get_secret_value(),
            }
        if config.client_secret is not None:
            fields["client_secret"] = config.client_secret.get_secret_value()
        if config.scope:
            fields["scope"] = config.scope
        return urlencode(fields).encode()

    def _read(self, answer: HttpAnswer) -> str:
        token = answer.fields.get("access_token")
        if answer.status == 200 and isinstance(token, str) and token.isascii() and token.isprintable():
            return token
        reason = clean(str(answer.fields.get("error", "")), keep_newlines=False)[:100]
        said = f"{answer.status} {reason}".strip()
        if answer.status == 429 or answer.status >= 500:
            raise Retry(f"{self._where}: not now ({said}).")
        raise UserError(f"{self._where}: refused ({said}). Check oauth.")


_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
