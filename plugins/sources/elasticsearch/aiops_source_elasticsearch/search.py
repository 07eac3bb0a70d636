"""Ask Elasticsearch for the documents of a span of time, page by page, as they stood at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from elastic_transport import ApiError, TransportError
from elasticsearch import Elasticsearch

from aiops_core import Retry

_KEEP_ALIVE = "5m"
_FORMAT = "strict_date_optional_time_nanos"

Hit = Mapping[str, Any]  # a document is whatever was indexed


class Search:
    """The search that a source repeats, each time for another span of time."""

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        query: str | Mapping[str, Any],  # Any: Query DSL, checked by Elasticsearch
        order: Sequence[str],
        page_size: int,
    ) -> None:
        self._client = client
        self._index = index
        self._time_field = order[0]
        self._sort = [_by_time(order[0]), *map(_by_number, order[1:])]
        self._page_size = page_size
        self._wanted: list[Mapping[str, Any]] = []  # Any: Query DSL
        if query:
            self._wanted = [{"query_string": {"query": query}} if isinstance(query, str) else query]

    def pages(self, since: int, until: int) -> Iterator[list[Hit]]:
        """Yield the hits of a span of time, ascending by time, as they are at this moment."""
        after: Sequence[int | float | str | None] | None = None
        with self._point_in_time() as pit:
            while True:
                answer = self._client.search(
                    pit={"id": pit[0], "keep_alive": _KEEP_ALIVE},
                    query=self._query(since, until),
                    sort=self._sort,
                    size=self._page_size,
                    search_after=after,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                )
                _check_whole(answer.body)
                pit[0] = answer.get("pit_id", pit[0])
                hits = answer["hits"]["hits"]
                if hits:
                    yield hits
                if len(hits) < self._page_size:
                    return
                after = hits[-1]["sort"]

    def count(self, since: int, until: int) -> int | None:
        """Count the documents of a span of time; None where some shards did not answer."""
        answer = self._client.count(
            index=self._index, query=self._query(since, until), ignore_unavailable=True
        )
        return int(answer["count"]) if not answer["_shards"].get("failed") else None

    @contextmanager
    def _point_in_time(self) -> Iterator[list[str]]:
        """Hold the indices as they are now; the id may change with each answer."""
        opened = self._client.open_point_in_time(
            index=self._index, keep_alive=_KEEP_ALIVE, ignore_unavailable=True
        )
        pit = [str(opened["id"])]
        try:
            yield pit
        finally:
            try:
                self._client.close_point_in_time(id=pit[0])
            except (ApiError, TransportError):
                pass  # it ends by itself

    def _query(self, since: int, until: int) -> Mapping[str, Any]:  # Any: Query DSL
        span = {"gte": _written(since), "lt": _written(until), "format": _FORMAT}
        return {"bool": {"filter": [{"range": {self._time_field: span}}, *self._wanted]}}


def _by_time(field: str) -> Mapping[str, Any]:  # Any: Query DSL
    order = {"order": "asc", "format": _FORMAT, "numeric_type": "date_nanos", "unmapped_type": "date"}
    return {field: order}


def _by_number(field: str) -> Mapping[str, Any]:  # Any: Query DSL
    return {field: {"order": "asc", "unmapped_type": "long", "missing": "_last"}}


def _check_whole(answer: Mapping[str, Any]) -> None:  # Any: as answered
    """Refuse an answer that leaves documents out."""
    if answer.get("timed_out") or (answer.get("_shards") or {}).get("failed"):
        raise Retry("elasticsearch: only a part of the shards answered.")


def _written(time: int) -> str:
    second, rest = divmod(time, 10**9)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
