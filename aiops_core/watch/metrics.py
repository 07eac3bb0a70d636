"""Figures for Prometheus; their labels are pipelines, steps, kinds and states, and so as few as those."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from aiops_core import __version__
from aiops_core.errors import StoreError
from aiops_core.store import Store
from aiops_core.watch.board import Board

_FRESH = 5.0
"""Seconds for which figures of the database are used again."""


def make_metrics(store: Store, board: Board) -> Callable[[], bytes] | None:
    """Return what writes the figures, None without the package prometheus-client."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest
    except ImportError:
        return None
    registry = CollectorRegistry()
    registry.register(_Figures(store, board))
    return lambda: generate_latest(registry)


class _Figures:
    def __init__(self, store: Store, board: Board) -> None:
        self._store = store
        self._board = board
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._counted: list[tuple[str, dict[str, str], float]] = []

    def describe(self) -> list[Any]:  # Any: none of prometheus_client's own types
        """Describe nothing before it is asked for."""
        return []

    def collect(self) -> Iterator[Any]:  # Any: metric families of prometheus_client
        """Yield every figure."""
        from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

        yield InfoMetricFamily("aiops", "The program itself.", value={"version": __version__})
        ready = GaugeMetricFamily("aiops_ready", "1 while events are taken, kept and answered.")
        ready.add_metric([], float(self._board.is_ready))
        yield ready
        checks = GaugeMetricFamily(
            "aiops_check_ok", "1 while a check of the watch is fine.", labels=["check"]
        )
        for name, check in self._board.checks.items():
            checks.add_metric([name], float(not check.problem))
        yield checks
        yield from self._of_board()
        yield from self._of_store()

    def _of_board(self) -> Iterator[Any]:  # Any: as above
        from prometheus_client.core import GaugeMetricFamily

        families = {
            "canary_arrived": (
                "aiops_canary_arrived_timestamp_seconds",
                "When a canary last came through.",
                "pipeline",
            ),
            "free_bytes": ("aiops_disk_free_bytes", "Bytes left on a disk.", "place"),
            "jobs_due": (
                "aiops_jobs_due",
                "Jobs that wait although they are due, counted to a limit.",
                "queue",
            ),
        }
        gauges = self._board.gauges
        for key, (name, text, label) in families.items():
            family = GaugeMetricFamily(name, text, labels=[label])
            for (of, place), value in gauges.items():
                if of == key:
                    family.add_metric([place], value)
            yield family

    def _of_store(self) -> Iterator[Any]:  # Any: as above
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        texts = {
            "events": "Events counted.",
            "incidents": "Incidents by state.",
            "jobs": "Jobs by kind and state.",
            "deliveries": "Messages by target and state.",
            "model_tokens": "Tokens that models took, as far as runs are kept.",
            "model_cost_usd": "US dollars that models took, as far as runs are kept and prices known.",
        }
        for name, text in texts.items():
            found = [(labels, value) for of, labels, value in self._fresh() if of == name]
            if not found:
                continue
            kind = (
                CounterMetricFamily
                if name in {"events", "model_tokens", "model_cost_usd"}
                else GaugeMetricFamily
            )
            family = kind(f"aiops_{name}", text, labels=list(found[0][0]))
            for labels, value in found:
                family.add_metric(list(labels.values()), value)
            yield family

    def _fresh(self) -> list[tuple[str, dict[str, str], float]]:
        with self._lock:
            if time.monotonic() - self._read_at > _FRESH or not self._read_at:
                try:
                    self._counted = list(self._store.work.figures())
                except StoreError:
                    self._counted = []
                self._read_at = time.monotonic()
            return self._counted
