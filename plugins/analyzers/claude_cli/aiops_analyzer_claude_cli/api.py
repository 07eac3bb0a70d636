"""The real Messages API, as the relay's upstream."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from email.message import Message
from threading import Event
from typing import IO, Any

from aiops_analyzer_claude_cli.relay import Reply, Unreachable
from aiops_core import Redactor

OFFICIAL = "https://api.anthropic.com"
_SILENCE = 120.0
_CHUNK = 1 << 16
_PASSED_UP = ("anthropic-version", "anthropic-beta", "content-type", "accept", "user-agent")
_PASSED_DOWN = ("content-type", "retry-after", "request-id")


@dataclass(frozen=True, slots=True)
class Api:
    """Where calls go, and with which key; nothing is passed on once ``stopping`` is set."""

    base_url: str
    key: str = field(repr=False)
    proxy: str = field(default="", repr=False)
    stopping: Event = field(default_factory=Event)

    def __call__(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if self.stopping.is_set():
            raise Unreachable("the pipeline is stopping")
        request = urllib.request.Request(  # noqa: S310 the address is the operator's
            (self.base_url or OFFICIAL).rstrip("/") + path,
            data=body,
            headers={name: headers[name] for name in _PASSED_UP if name in headers} | {"x-api-key": self.key},
        )
        try:
            response = self._opener().open(request, timeout=_SILENCE)
        except urllib.error.HTTPError as error:
            response = error
        except (OSError, http.client.HTTPException, ValueError) as error:
            said = Redactor([self.key]).redact(str(getattr(error, "reason", error)))[:300]
            raise Unreachable(f"the connection failed: {said}") from None
        kept = {name: value for name in _PASSED_DOWN if (value := response.headers.get(name))}
        return Reply(response.status, self._chunks(response), kept)

    def _opener(self) -> urllib.request.OpenerDirector:
        proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else None
        return urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _NoRedirect)

    def _chunks(self, response: Any) -> Iterator[bytes]:  # Any: urllib has no type for it
        with closing(response):
            try:
                while not self.stopping.is_set() and (chunk := response.read1(_CHUNK)):
                    yield chunk
            except (OSError, http.client.HTTPException):
                return  # cut off: the agent sees a stream without an end, and asks again


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow nothing: the key is for one address."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None
