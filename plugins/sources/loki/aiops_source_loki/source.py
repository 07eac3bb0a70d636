"""The loki source: its settings, and the component."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from httpx2 import Client
from pydantic import Field, SecretStr, field_validator, model_validator

from aiops_core import (
    Duration,
    Found,
    PolledSource,
    PollingConfig,
    UserError,
    __version__,
)
from aiops_source_loki.query import Query, headers_of

_LOOPBACK = ("localhost", "127.0.0.1", "::1")

Name = Annotated[str, Field(min_length=1)]
_TENANT = re.compile(r"[A-Za-z0-9!\-_.*'()|]{0,150}")


class LokiConfig(PollingConfig):
    """Where the lines are, and which of them are read."""

    url: str
    """Address of Loki, without ``/loki/api``; a gateway's with what stands before that."""
    query: str
    """Which lines are read, in LogQL, as in ``{app="shop"} |= "ERROR"``: it begins with the selector of
    streams. A filter of lines also takes the lines of a trace away, so choose streams rather."""
    tenant: str = ""
    """Tenant, sent as ``X-Scope-OrgID``; none is sent when empty."""
    token: SecretStr | None = None
    """Bearer token for what stands before Loki."""
    user: str = ""
    """Name for a login with a password."""
    password: SecretStr | None = None
    """Password of the user."""
    ca_file: str = ""
    """File with the certificate authority to trust instead of the system's; relative to the pipeline
    file."""
    stream_labels: list[Name] = Field(default=[])
    """Labels that tell streams apart, so that the lines of others do not cut a trace; when empty, all but
    those of levels, traces and requests. Name them when other labels differ from line to line."""
    timeout: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    """Longest time to wait for one answer, at least one second."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("no web address: write http://host:3100 or https://host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a login in the address: write it as 'user' and 'password' instead")
        if parts.query or parts.fragment or "/loki/api" in parts.path:
            raise ValueError("more than an address: leave out /loki/api and what begins with ? or #")
        return url.rstrip("/")

    @field_validator("query")
    @classmethod
    def _check_query(cls, query: str) -> str:
        if not query.lstrip().startswith("{"):
            raise ValueError(f'{query!r} selects no streams: begin with a selector, as in {{app="shop"}}')
        return query

    @field_validator("tenant")
    @classmethod
    def _check_tenant(cls, tenant: str) -> str:
        if not _TENANT.fullmatch(tenant):
            raise ValueError("is no tenant: Loki takes 150 letters, digits and !-_.*'()| at most")
        return tenant

    @model_validator(mode="after")
    def _check_login(self) -> LokiConfig:
        if self.token is not None and (self.user or self.password is not None):
            raise ValueError("token and user name two logins. Leave one of them out")
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password belong together. Write both, or none")
        if self.token is not None and not self.token.get_secret_value().isascii():
            raise ValueError("token has signs no token may have: use plain ASCII")
        return self


class LokiSource(PolledSource[LokiConfig]):
    """Read logs out of Grafana Loki, each line once."""

    _query: Query | None = None
    _has_told_skipped = False

    def check(self) -> None:
        """Open the certificate authority file."""
        self._tls_context()

    def start(self) -> None:
        """Open the certificate authority file; raise UserError when it cannot be used."""
        self._tls_context()
        parts = urlsplit(self.config.url)
        has_login = self.config.token is not None or bool(self.config.user)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK and has_login:
            self.context.logger.warning(
                "%s: the login for %s is sent unencrypted. Use https.", self.context.name, parts.hostname
            )

    @contextmanager
    def connected(self) -> Iterator[None]:
        config = self.config
        with self._connect() as client:
            self._query = Query(
                client, config.url, config.query, config.page_size, config.stream_labels, self.context.clock
            )
            yield

    def find(self, since: int, until: int) -> Iterator[Sequence[Found]]:
        """Yield the lines of a span of time."""
        if self._query is None:
            raise RuntimeError("find is called by source only")
        yield from self._query.pages(since, until, self._tell_skipped)

    def _connect(self) -> Client:
        config = self.config
        token = config.token.get_secret_value() if config.token else ""
        login = (config.user, config.password.get_secret_value()) if config.password else None
        context = self._tls_context()
        return Client(
            headers=headers_of(config.tenant, token, f"aiops-core/{__version__}"),
            auth=login,
            verify=context or config.url.startswith("https:"),  # plain HTTP needs no authorities loaded
            timeout=config.timeout.total_seconds(),
            follow_redirects=False,
        )

    def _tls_context(self) -> ssl.SSLContext | None:
        if not self.config.ca_file:
            return None
        file = self.context.directory / self.config.ca_file
        try:
            return ssl.create_default_context(cafile=file)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"ca_file: {file}: {reason}. Name a file with PEM certificates") from None

    def _tell_skipped(self, time: int) -> None:
        if not self._has_told_skipped:
            self._has_told_skipped = True
            self.context.fault(
                "lines are lost",
                f"{self.context.name}: Loki holds more lines of one nanosecond ({time}) than it gives at once; the rest "
                "is left out. Raise max_entries_limit_per_query in Loki, or use several sources with narrower queries.",
            )
