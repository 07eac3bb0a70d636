"""A pool of threads in this process, fed from the lease queue."""

from __future__ import annotations

import logging
import os
import platform
import threading
import uuid
from collections.abc import Callable, Sequence

from aiops_core.errors import LeaseLost, StoreError
from aiops_core.store import Job, Store

LEASE = 60.0
"""Seconds a job is held without a heartbeat."""
_BEAT = 15.0
_POLL = 0.5


class LocalEngine:
    """Lease jobs and have them handled by ``workers`` threads until stopped."""

    def __init__(
        self,
        store: Store,
        handle: Callable[[Job], None],
        kinds: Sequence[str],
        *,
        workers: int,
        logger: logging.Logger,
    ) -> None:
        self._store = store
        self._handle = handle
        self._kinds = tuple(kinds)
        self._logger = logger
        self._owner = f"{platform.node()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._held: dict[int, Job] = {}
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(workers)
        ]
        self._threads.append(threading.Thread(target=self._beat, name="heartbeat", daemon=True))

    def start(self) -> None:
        """Start the workers."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that there may be new work."""
        self._wake.set()

    @property
    def busy(self) -> int:
        """How many jobs are being done right now."""
        with self._lock:
            return len(self._held)

    def stop(self, grace: float = 10.0) -> None:
        """Take no more jobs and wait for those being done; what is left is taken over by its lease."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads[:-1]:
            thread.join(grace / len(self._threads))

    def _work(self) -> None:
        while not self._stopping.is_set():
            job = self._lease()
            if job is None:
                self._wake.wait(_POLL)
                self._wake.clear()
                continue
            with self._lock:
                self._held[job.id] = job
            try:
                self._handle(job)
            except StoreError as error:
                self._logger.error("%s %s: %s", job.kind, job.key, error)
                self._stopping.wait(1.0)
            finally:
                with self._lock:
                    del self._held[job.id]

    def _lease(self) -> Job | None:
        try:
            return self._store.queue.lease(self._kinds, self._owner, LEASE)
        except StoreError as error:
            self._logger.error("the queue cannot be read: %s", error)
            self._stopping.wait(5.0)
            return None

    def _beat(self) -> None:
        while not self._stopping.wait(_BEAT):
            with self._lock:
                held = list(self._held.values())
            for job in held:
                try:
                    self._store.queue.heartbeat(job, LEASE)
                except (LeaseLost, StoreError) as error:
                    self._logger.warning("%s %s: heartbeat: %s", job.kind, job.key, error)
