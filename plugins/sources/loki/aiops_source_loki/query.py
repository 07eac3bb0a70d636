"""Ask Loki for the entries of a span of time, page by page, and say what its answers mean."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from httpx2 import Client, HTTPError, Response, TimeoutException

from aiops_core import AiopsError, Found, Retry, UserError, clean, parse_retry_after
from aiops_source_loki.entries import AnswerError, read_answer

LONGEST_SPAN = 24 * 3600 * 10**9
"""Nanoseconds asked for at once: Loki limits the length of a query."""
_UNKNOWN = 1 << 31
_PATH = "/loki/api/v1/query_range"
_MAY_PASS = frozenset({408, 425, 429})
_ENTRY_LIMIT = "max entries limit"
_LIMITS = re.compile(r"\(\d+ > (\d+)\)")
_MEANINGS = {
    401: "the login is refused ({}). Check 'token', 'user' and 'password', or 'tenant'",
    403: "this login may not read ({}). Check 'token', 'user' and 'password', or 'tenant'",
    404: "nothing is found there ({}). Check 'url'",
}
_REFUSED = "the query is refused ({}). Check 'query'"


class TooMany(Exception):
    """Say that Loki gives no page of this size; ``most`` is the largest it gives, 0 where it does not tell."""

    def __init__(self, said: str) -> None:
        found = _LIMITS.search(said)
        self.most = int(found[1]) if found else 0


class Query:
    """The query that a source repeats, each time for another span of time."""

    def __init__(
        self,
        client: Client,
        url: str,
        query: str,
        page_size: int,
        stream_labels: Collection[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._url = url + _PATH
        self._where = urlsplit(url).netloc
        self._query = query
        self._page_size = page_size
        self._stream_labels = stream_labels
        self._clock = clock
        self._most = _UNKNOWN
        self._given = 0

    def pages(self, since: int, until: int, skipped: Callable[[int], None]) -> Iterator[list[Found]]:
        """Yield the entries of a span of time, ascending by time.

        A page ends anywhere among the entries of one nanosecond, so the next one begins with that
        nanosecond again, and is made larger where it would hold nothing else. ``skipped`` is told of
        a nanosecond that holds more entries than Loki gives at once.
        """
        at = since
        size = min(self._page_size, self._most)
        while at < until:
            end = min(at + LONGEST_SPAN, until)
            try:
                page = self._ask(at, end, size)
            except TooMany as refusal:
                size = self._most = self._smaller(size, refusal)
                continue
            self._given = max(self._given, size)
            if page:
                yield page
            if len(page) >= size and page[-1].time == at and size < self._most:
                size = min(size * 2, self._most)
                continue
            if len(page) < size:
                at = end
            elif page[-1].time > at:
                at = page[-1].time
            else:
                skipped(at)
                at += 1
            size = min(self._page_size, self._most)

    def _smaller(self, size: int, refusal: TooMany) -> int:
        """Return how many entries Loki gives at once."""
        most = refusal.most or self._given
        if not 0 < most < size:
            raise UserError(f"{self._where}: Loki gives no {size} entries at once. Make 'page_size' smaller")
        return most

    def _ask(self, since: int, until: int, size: int) -> list[Found]:
        asked = {"query": self._query, "start": str(since), "end": str(until), "limit": str(size)}
        try:
            response = self._client.get(self._url, params={**asked, "direction": "forward"})
        except HTTPError as error:
            raise self._no_answer(error) from error
        if not response.is_success:
            raise self._refusal(response)
        try:
            return read_answer(response.json(), self._stream_labels)
        except AnswerError as error:
            raise UserError(f"{self._where}: {error}. Check 'url' and 'query'") from None
        except ValueError:
            what = "a web page. Check 'url'" if _is_page(response) else "no JSON"
            raise Retry(f"{self._where}: the answer is {what}.") from None

    def _refusal(self, response: Response) -> AiopsError | TooMany:
        status = response.status_code
        words = "" if _is_page(response) else clean(response.text[:2000], keep_newlines=False)[:300]
        said = f"{status} {words}".strip()
        if status >= 500 or status in _MAY_PASS:
            wait = parse_retry_after(response.headers.get("retry-after", ""), self._clock())
            return Retry(f"{self._where}: not now ({said}).", after=wait)
        if status == 400 and _ENTRY_LIMIT in said:
            return TooMany(said)
        if 300 <= status < 400:
            return UserError(
                f"{self._where}: it redirects ({status}), which is not followed. Write the final 'url'"
            )
        return UserError(f"{self._where}: {_MEANINGS.get(status, _REFUSED).format(said)}")

    def _no_answer(self, error: HTTPError) -> AiopsError:
        if isinstance(error, TimeoutException):
            return Retry(f"{self._where}: no answer in time.")
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                why = cause.verify_message.rstrip(".")
                return UserError(
                    f"{self._where}: the certificate cannot be trusted ({why}). "
                    "Name its authority in 'ca_file'"
                )
            if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
                return UserError(f"{self._where}: it speaks no TLS. Write 'url' with http://")
            cause = cause.__cause__ or cause.__context__
        reason = clean(str(error), keep_newlines=False)[:200] or type(error).__name__
        return Retry(f"{self._where}: it cannot be reached ({reason}).")


def _is_page(response: Response) -> bool:
    """Tell whether a web page was answered, as gateways and forms to log in do."""
    return "html" in response.headers.get("content-type", "") or response.text.lstrip()[:1] == "<"


def headers_of(tenant: str, token: str, agent: str) -> Mapping[str, str]:
    """Return the headers of every request.

    With the encoding flag, Loki leaves a stream its own labels; without it, metadata of single
    lines makes streams of their own.
    """
    headers = {"User-Agent": agent, "X-Loki-Response-Encoding-Flags": "categorize-labels"}
    if tenant:
        headers["X-Scope-OrgID"] = tenant
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return headers
