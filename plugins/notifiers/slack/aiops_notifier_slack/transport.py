"""Slack's SDK on a leash: a deadline for the whole call, no redirect, nothing logged, the answer as it came."""

from __future__ import annotations

import asyncio
import logging
import ssl
from types import SimpleNamespace
from typing import Any

from aiohttp import (
    ClientSession,
    ClientTimeout,
    TraceConfig,
    TraceRequestEndParams,
    TraceRequestRedirectParams,
    TraceResponseChunkReceivedParams,
)
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from aiops_core import HttpAnswer

_SILENT = logging.Logger("slack_sdk", logging.CRITICAL)


class _Redirected(Exception):
    """Somebody sends the message elsewhere."""


class _Recorder:
    """Keep what was answered, whatever the SDK makes of it."""

    def __init__(self) -> None:
        self.status = 0
        self.retry_after = ""
        self.body = b""

    def trace(self) -> TraceConfig:
        config = TraceConfig()
        config.on_request_redirect.append(self._redirected)
        config.on_request_end.append(self._answered)
        config.on_response_chunk_received.append(self._received)
        return config

    @property
    def answer(self) -> HttpAnswer:
        return HttpAnswer(self.status, self.body, self.retry_after)

    async def _redirected(
        self, session: ClientSession, context: SimpleNamespace, params: TraceRequestRedirectParams
    ) -> None:
        self.status = params.response.status
        raise _Redirected

    async def _answered(
        self, session: ClientSession, context: SimpleNamespace, params: TraceRequestEndParams
    ) -> None:
        self.status = params.response.status
        self.retry_after = params.response.headers.get("Retry-After", "")

    async def _received(
        self, session: ClientSession, context: SimpleNamespace, params: TraceResponseChunkReceivedParams
    ) -> None:
        self.body += params.chunk


def call(
    base_url: str,
    token: str,
    method: str,
    fields: dict[str, Any],  # Any: JSON of Slack's shape
    *,
    context: ssl.SSLContext | None,
    timeout: float,
) -> HttpAnswer:
    """Call a method of the Web API; raise TimeoutError or what aiohttp raises."""

    async def send(session: ClientSession) -> None:
        client = AsyncWebClient(
            token=token, base_url=base_url, session=session, ssl=context, logger=_SILENT, retry_handlers=[]
        )
        await client.api_call(method, json=fields)

    return asyncio.run(_record(send, timeout))


def post(url: str, body: dict[str, Any], *, context: ssl.SSLContext | None, timeout: float) -> HttpAnswer:
    """Post to an incoming webhook; raise TimeoutError or what aiohttp raises."""

    async def send(session: ClientSession) -> None:
        client = AsyncWebhookClient(url, session=session, ssl=context, logger=_SILENT, retry_handlers=[])
        await client.send_dict(body)

    return asyncio.run(_record(send, timeout))


async def _record(send: Any, timeout: float) -> HttpAnswer:  # Any: one of the two above
    recorder = _Recorder()
    async with (
        asyncio.timeout(timeout),
        ClientSession(
            trust_env=True, timeout=ClientTimeout(total=None), trace_configs=[recorder.trace()]
        ) as session,
    ):
        try:
            await send(session)
        except (_Redirected, SlackClientError):
            pass  # the answer says it
        return recorder.answer
