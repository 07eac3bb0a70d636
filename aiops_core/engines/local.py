"""A pool of threads in this process, fed from the lease queue."""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence

from aiops_core.errors import LeaseLost, StoreError
from aiops_core.store import Job, Store

LEASE = 60.0
"""Seconds a job is held without a heartbeat."""
_BEAT = 15.0
_POLL = 0.5
_REST = 32
"""How many times the CPU seconds of a job its pool rests after it while reading comes first."""
_LONGEST_REST = 2.0


class _Pool:
    """Threads that do jobs of some kinds; of the idle ones one looks for all, the others cost nothing."""

    def __init__(self, kinds: Sequence[str], workers: int) -> None:
        self.kinds = tuple(kinds)
        self.workers = workers
        self.wake = threading.Event()
        self.turn = threading.Lock()
        """Held by the one worker that looks for a job."""


class LocalEngine:
    """Lease jobs and have them handled by ``workers`` threads until stopped.

    Kinds in ``apart`` have so many threads of their own: nothing else keeps them waiting. While
    ``is_second`` says so, workers leave most of the processor to others.
    """

    def __init__(
        self,
        store: Store,
        handle: Callable[[Job], None],
        kinds: Sequence[str],
        *,
        workers: int,
        apart: Mapping[str, int] | None = None,
        is_second: Callable[[], bool] = lambda: False,
        logger: logging.Logger,
    ) -> None:
        self._store = store
        self._is_second = is_second
        self._handle = handle
        self._pools = [_Pool(kinds, workers), *(_Pool((kind,), n) for kind, n in (apart or {}).items())]
        self._logger = logger
        self._owner = f"{platform.node()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._held: dict[tuple[int, int], Job] = {}
        """By id and token: a job that was given back may be taken by another worker at once."""
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(pool,), name=f"{pool.kinds[0]}-{n}", daemon=True)
            for pool in self._pools
            for n in range(pool.workers)
        ]
        self._threads.append(threading.Thread(target=self._beat, name="heartbeat", daemon=True))

    def start(self) -> None:
        """Start the workers."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that there may be new work."""
        for pool in self._pools:
            pool.wake.set()

    def is_idle(self, is_nothing_due: Callable[[], bool]) -> bool:
        """Return whether no job is being done and, by the same moment, nothing is due."""
        with self._lock:  # nobody can take a job up meanwhile
            return not self._held and is_nothing_due()

    def stop(self, grace: float = 10.0) -> None:
        """Take no more jobs and wait so long for those being done; what is left is given back."""
        self._stopping.set()
        deadline = time.monotonic() + grace
        for thread in self._threads[:-1]:
            while thread.is_alive() and time.monotonic() < deadline:
                self.wake()
                thread.join(0.05)
        self._ended.set()
        self._give_back()

    @property
    def has_ended(self) -> bool:
        """Whether nothing is being done any more, and nothing will be."""
        return self._ended.is_set()

    def _work(self, pool: _Pool) -> None:
        while not self._stopping.is_set():
            with pool.turn:
                job = self._next(pool)
            if job is None:
                return
            began = time.thread_time()
            try:
                self._handle(job)
            except (LeaseLost, StoreError) as error:
                self._logger.error("%s %s: %s", job.kind, job.key, error)
                self._stopping.wait(1.0)
            finally:
                with self._lock:
                    del self._held[job.id, job.token]
                self.wake()
            if self._is_second():
                with pool.turn:  # the others take up nothing meanwhile
                    self._stopping.wait(min(_REST * (time.thread_time() - began), _LONGEST_REST))

    def _next(self, pool: _Pool) -> Job | None:
        """Wait for a job; None when the engine stops."""
        while not self._stopping.is_set():
            pool.wake.clear()
            job = self._take(pool)
            if job is not None:
                return job
            pool.wake.wait(_POLL)
        return None

    def _take(self, pool: _Pool) -> Job | None:
        try:
            with self._lock:
                if self._stopping.is_set():
                    return None
                job = self._store.queue.lease(pool.kinds, self._owner, LEASE)
                if job is not None:
                    self._held[job.id, job.token] = job
                return job
        except StoreError as error:
            self._logger.error("the queue cannot be read: %s", error)
            self._stopping.wait(4.0)
            return None

    def _give_back(self) -> None:
        for job in list(self._held.values()):  # without the lock: one may be waiting for the disk under it
            self._logger.warning("%s %s: not done in time; the next start goes on with it", job.kind, job.key)
            try:
                self._store.queue.release(job)
            except (LeaseLost, StoreError) as error:
                self._logger.warning("%s %s: %s", job.kind, job.key, error)

    def _beat(self) -> None:
        """Keep the leases of long jobs; a lease lost for a job that ended meanwhile is none that was lost."""
        old: Collection[tuple[int, int]] = ()
        while not self._ended.wait(_BEAT):
            with self._lock:
                held = dict(self._held)
            for place in held.keys() & old:
                try:
                    self._store.queue.heartbeat(held[place], LEASE)
                except (LeaseLost, StoreError) as error:
                    if place in self._held:
                        job = held[place]
                        self._logger.warning("%s %s: heartbeat: %s", job.kind, job.key, error)
            old = held.keys()
