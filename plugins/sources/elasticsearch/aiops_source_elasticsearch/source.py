"""The elasticsearch source: its settings, and the component."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from aiops_core import (
    Duration,
    Found,
    PolledSource,
    PollingConfig,
    UserError,
    __version__,
)
from aiops_source_elasticsearch.documents import read_hit

if TYPE_CHECKING:  # the client takes a third of a second to import
    from elastic_transport import ApiError, TransportError
    from elasticsearch import Elasticsearch

    from aiops_source_elasticsearch.search import Hit, Search

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"http": 80, "https": 443}


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("no web address: write http://host:9200 or https://host:9200")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a login in the address: write it as 'user' and 'password' instead")
    if parts.query or parts.fragment:
        raise ValueError("more than an address: leave out what begins with ? or #")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or _PORTS[parts.scheme]}{parts.path.rstrip('/')}"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(_check_url)]
Name = Annotated[str, Field(min_length=1)]


class ElasticsearchConfig(PollingConfig):
    """Where the documents are, and which of them are read."""

    urls: Annotated[list[Url], BeforeValidator(_as_list)] = Field(min_length=1)
    """Addresses of the cluster's nodes, or of what stands before them; one is enough."""
    index: Name
    """Index, data stream or alias, or a pattern of them, as in ``logs-*``; several with commas."""
    query: str | dict[str, Any] = ""  # Any: Query DSL, checked by Elasticsearch
    """Which documents are read: a query string, as in ``service.name: shop AND NOT log.level: debug``,
    or a query in Query DSL; all when empty."""
    api_key: SecretStr | None = None
    """API key in its encoded form; it needs the privilege ``read`` on the index."""
    user: str = ""
    """Name for a login with a password."""
    password: SecretStr | None = None
    """Password of the user."""
    ca_file: str = ""
    """File with the certificate authority to trust instead of the system's; relative to the pipeline
    file."""
    time_field: Name = "@timestamp"
    """Date field by which documents are read. A field that is set when a document is indexed, such as
    ``event.ingested``, lets ``late`` be short however late documents are sent."""
    message_field: Name = "message"
    """Field that holds the logged line."""
    stream_fields: list[Name] = Field(
        default=["kubernetes.pod.uid", "container.id", "log.file.path", "stream"]
    )
    """Fields that, beside host, service and process, tell the writers of lines apart: lines of one
    writer are read as one text."""
    order_fields: list[Name] = Field(default=["event.sequence", "log.offset"])
    """Fields that give the order of documents of the same time, so that the lines of a trace stay in
    order; documents without them come last."""
    timeout: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    """Longest time to wait for one answer, at least one second."""

    @model_validator(mode="after")
    def _check_login(self) -> ElasticsearchConfig:
        if self.api_key is not None and (self.user or self.password is not None):
            raise ValueError("api_key and user name two logins. Leave one of them out")
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password belong together. Write both, or none")
        return self


class ElasticsearchSource(PolledSource[ElasticsearchConfig]):
    """Read logs out of Elasticsearch, each document once."""

    _search: Search | None = None
    _has_told_missing = False

    def check(self) -> None:
        """Open the certificate authority file."""
        self._tls_context()

    def start(self) -> None:
        """Open the certificate authority file; raise UserError when it cannot be used."""
        self._tls_context()
        for url in self.config.urls:
            parts = urlsplit(url)
            if parts.scheme == "http" and parts.hostname not in _LOOPBACK and self._has_login:
                self.context.logger.warning(
                    "%s: the login for %s is sent unencrypted. Use https.", self.context.name, parts.hostname
                )

    def probe(self) -> str:
        """Ask once for the last minute; say so when there is no such index."""
        found = super().probe()
        return (
            f"it answers, but there is no index '{self.config.index}' yet"
            if self._has_told_missing
            else found
        )

    @contextmanager
    def connected(self) -> Iterator[None]:
        from aiops_source_elasticsearch.search import Search

        config = self.config
        with self._connect() as client:
            order = [config.time_field, *config.order_fields]
            self._search = Search(client, config.index, config.query, order, config.page_size)
            yield

    def find(self, since: int, until: int) -> Iterator[Sequence[Found]]:
        """Yield the documents of a span of time."""
        from elastic_transport import ApiError, TransportError

        from aiops_source_elasticsearch.troubles import is_missing_index

        try:
            for page in self._searching().pages(since, until):
                yield self._read(page)
        except ApiError as error:
            if not is_missing_index(error):
                raise self._verdict(error) from None
            self._tell_missing()
        except TransportError as error:
            raise self._verdict(error) from None

    def count(self, since: int, until: int) -> int | None:
        """Count the documents of a span of time."""
        from elastic_transport import ApiError, TransportError

        from aiops_source_elasticsearch.troubles import is_missing_index

        try:
            return self._searching().count(since, until)
        except ApiError as error:
            if is_missing_index(error):
                return None
            raise self._verdict(error) from None
        except TransportError as error:
            raise self._verdict(error) from None

    def _read(self, page: Sequence[Hit]) -> list[Found]:
        config = self.config
        try:
            return [read_hit(hit, config.message_field, config.stream_fields) for hit in page]
        except ValueError as error:
            raise UserError(f"{config.time_field}: {error}. Set 'time_field' to a field of dates") from None

    def _searching(self) -> Search:
        if self._search is None:
            raise RuntimeError("find and count are called by source only")
        return self._search

    @property
    def _has_login(self) -> bool:
        return self.config.api_key is not None or bool(self.config.user)

    def _connect(self) -> Elasticsearch:
        from elasticsearch import Elasticsearch

        config = self.config
        options: dict[str, Any] = {}  # Any: the client's own
        if config.api_key is not None:
            options["api_key"] = config.api_key.get_secret_value()
        if config.password is not None:
            options["basic_auth"] = (config.user, config.password.get_secret_value())
        if (context := self._tls_context()) is not None:
            options["ssl_context"] = context
        return Elasticsearch(
            config.urls,
            headers={"user-agent": f"aiops-core/{__version__}"},
            http_compress=True,
            max_retries=len(config.urls) - 1,
            retry_on_status=(502, 503, 504),
            retry_on_timeout=False,
            request_timeout=config.timeout.total_seconds(),
            **options,
        )

    def _tls_context(self) -> ssl.SSLContext | None:
        if not self.config.ca_file or not any(url.startswith("https:") for url in self.config.urls):
            return None
        file = self.context.directory / self.config.ca_file
        try:
            return ssl.create_default_context(cafile=file)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"ca_file: {file}: {reason}. Name a file with PEM certificates") from None

    def _verdict(self, error: ApiError | TransportError) -> Exception:
        from aiops_source_elasticsearch.troubles import verdict

        hosts = ", ".join(urlsplit(url).netloc for url in self.config.urls)
        return verdict(hosts, error, self.context.clock())

    def _tell_missing(self) -> None:
        if not self._has_told_missing:
            self._has_told_missing = True
            self.context.logger.warning(
                "%s: there is no index '%s' yet. It is read as soon as there is one.",
                self.context.name,
                self.config.index,
            )
