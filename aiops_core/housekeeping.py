"""Forget what the retention settings say, a little at a time beside the work."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from aiops_core.errors import StoreError
from aiops_core.settings import Retention
from aiops_core.store import Cut, Store

_EVERY, _AFTER_TROUBLE = timedelta(hours=1), timedelta(minutes=1)
_LEAST_SHARE = 1 / 1024


class Housekeeping:
    """Prune a store, one batch per turn, an hour after the last one that found nothing."""

    def __init__(
        self, store: Store, retention: Retention, clock: Callable[[], datetime], logger: logging.Logger
    ) -> None:
        self._store = store
        self._retention = retention
        self._clock = clock
        self._logger = logger
        self._due = clock()
        self._share = 1.0  # of the configured ages, while the database is too big

    def turn(self) -> None:
        """Delete one batch where it is time to; called about twice a second."""
        if self._clock() < self._due:
            return
        try:
            if not self._store.retention.prune(self._cut()):
                self._finish()
        except StoreError as error:
            self._logger.warning("nothing can be forgotten now: %s", error)
            self._due = self._clock() + _AFTER_TROUBLE

    def _cut(self) -> Cut:
        now, keep = self._clock(), self._retention
        ages = (keep.events, keep.runs, keep.trends)
        return Cut(*(now - age * self._share for age in ages))

    def _finish(self) -> None:
        """Rest for an hour, or forget more where the database is still too big."""
        size = self._store.retention.size()
        if size > self._retention.size and self._share > _LEAST_SHARE:
            self._share /= 2
            return
        if self._share < 1:
            self._logger.warning(
                "the state database held more than retention.size (%d MB): things were forgotten at %.1f %% "
                "of their age. Raise retention.size, or lower the ages",
                self._retention.size >> 20,
                self._share * 100,
            )
        self._share = 1.0
        self._due = self._clock() + _EVERY
