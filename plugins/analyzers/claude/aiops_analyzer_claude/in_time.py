"""Bound the whole time of an answer that is streamed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2

from aiops_core import CallFailed


class InTime(httpx2.SyncByteStream):
    """Pass a response's bytes on until `limit` seconds are over, then raise CallFailed.

    The time between two reads is bounded by the client's timeout; pings, which a stalled model
    still sends and the SDK keeps to itself, would make the whole endless.
    """

    def __init__(self, stream: httpx2.SyncByteStream, limit: float) -> None:
        self._stream = stream
        self._limit = limit
        self._end = time.monotonic() + limit

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            if time.monotonic() >= self._end:
                raise CallFailed(f"the answer did not end within {self._limit:g} s", "again")
            yield piece

    def close(self) -> None:
        self._stream.close()
