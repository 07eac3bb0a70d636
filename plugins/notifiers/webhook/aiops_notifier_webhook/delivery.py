"""One POST: a deadline for the whole of it, and what each answer means."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiops_core import AiopsError, Retry, UserError, clean

if TYPE_CHECKING:
    from httpx2 import HTTPError

_MAY_PASS = frozenset({408, 409, 425, 429})
_LONGEST_WAIT = 86_400.0
_SECONDS = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*")
_READ = 2_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, the first words of the body, and what ``Retry-After`` said."""

    status: int
    words: str
    retry_after: str


def origin(url: str) -> str:
    """Return scheme, host and port: the part of an address that holds no secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, context: ssl.SSLContext | None, timeout: float
) -> Answer:
    """Post the body and return the answer; raise Retry or UserError when there is none."""
    from httpx2 import HTTPError

    try:
        return asyncio.run(_post(url, body, headers, context, timeout))
    except TimeoutError:
        raise Retry(f"webhook to {origin(url)}: no answer within {timeout:g} s.") from None
    except HTTPError as error:
        raise _verdict(url, error) from error


async def _post(
    url: str, body: bytes, headers: Mapping[str, str], context: ssl.SSLContext | None, timeout: float
) -> Answer:
    from httpx2 import AsyncClient

    verify: ssl.SSLContext | bool = context if context is not None else True
    async with (
        asyncio.timeout(timeout),
        AsyncClient(verify=verify, follow_redirects=False, timeout=None) as client,
        client.stream("POST", url, content=body, headers=dict(headers)) as response,
    ):
        words = b""
        if not response.is_success:
            async for chunk in response.aiter_raw():
                words += chunk
                if len(words) >= _READ:
                    break
        text = clean(words[:_READ].decode("utf-8", "replace"), keep_newlines=False)[:200]
        return Answer(response.status_code, text, response.headers.get("retry-after", ""))


def judge(url: str, answer: Answer, now: datetime) -> None:
    """Raise Retry for an answer that may pass and UserError for one that will not; 2xx is fine."""
    if 200 <= answer.status < 300:
        return
    said = f"{answer.status} {answer.words}".strip()
    where = f"webhook to {origin(url)}"
    if answer.status >= 500 or answer.status in _MAY_PASS:
        raise Retry(f"{where}: not now ({said}).", after=wait(answer.retry_after, now))
    if 300 <= answer.status < 400:
        raise UserError(
            f"{where}: it redirects ({answer.status}), which is never followed. Write the final address."
        )
    raise UserError(f"{where}: refused ({said}). Check url, headers and secret.")


def wait(retry_after: str, now: datetime) -> float:
    """Return the seconds a ``Retry-After`` asks for, written as a number or a date; 0 without one."""
    if match := _SECONDS.fullmatch(retry_after):
        return min(float(match[1]), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT)


def _verdict(url: str, error: HTTPError) -> AiopsError:
    where = f"webhook to {origin(url)}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message.rstrip(".")
            return UserError(
                f"{where}: the certificate cannot be trusted ({why}). Name its authority in `ca_file`."
            )
        cause = cause.__cause__ or cause.__context__
    reason = clean(str(error), keep_newlines=False)[:200] or type(error).__name__
    return Retry(f"{where}: {reason}.")
