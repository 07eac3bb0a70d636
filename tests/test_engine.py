"""The pool of workers: one looks for work on behalf of all, and hands the looking over."""

import logging
import threading
import time
from contextlib import contextmanager

from aiops_core.engines.local import LocalEngine
from aiops_core.store import Store


@contextmanager
def engine(store, handle, workers=4, **options):
    made = LocalEngine(store, handle, ["a"], workers=workers, logger=logging.getLogger("engine"), **options)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def test_idle_workers_look_for_work_one_at_a_time(tmp_path, monkeypatch):
    with Store.open(tmp_path / "state") as store:
        looks, lease = [], store.queue.lease
        monkeypatch.setattr(
            store.queue, "lease", lambda *place: looks.append(time.monotonic()) or lease(*place)
        )
        with engine(store, store.queue.finish):
            time.sleep(1.2)

    assert 1 <= len(looks) <= 4


def test_several_jobs_are_done_at_once(tmp_path):
    together, done = threading.Barrier(3), threading.Semaphore(0)

    with Store.open(tmp_path / "state") as store:

        def handle(job):
            together.wait(60)
            store.queue.finish(job)
            done.release()

        with engine(store, handle) as running:
            for key in "xyz":
                store.queue.enqueue("a", key, None)
            running.wake()
            arrived = [done.acquire(timeout=60) for _ in "xyz"]

    assert arrived == [True, True, True]


def times_of(tmp_path, jobs, seconds, workers):
    """Let workers take jobs of so much work each while reading comes first; return when each began."""
    begun, done = [], threading.Semaphore(0)

    with Store.open(tmp_path / "state") as store:

        def handle(job):
            begun.append(time.monotonic())
            until = time.thread_time() + seconds
            while time.thread_time() < until:
                pass
            store.queue.finish(job)
            done.release()

        with engine(store, handle, workers=workers, is_second=lambda: True) as running:
            for key in range(jobs):
                store.queue.enqueue("a", str(key), None)
            running.wake()
            arrived = [done.acquire(timeout=20) for _ in range(jobs)]

    assert arrived == [True] * jobs
    return begun


def test_a_worker_rests_after_a_job_while_reading_comes_first(tmp_path):
    begun = times_of(tmp_path, jobs=2, seconds=0.05, workers=1)

    assert begun[1] - begun[0] > 0.05 * 16


def test_while_reading_comes_first_workers_rest_one_after_the_other(tmp_path):
    begun = times_of(tmp_path, jobs=8, seconds=0.01, workers=4)

    assert begun[7] - begun[0] > 0.01 * 32 * 3


def test_a_job_that_ends_while_its_lease_is_kept_has_not_lost_it(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("aiops_core.engines.local._BEAT", 0.01)
    is_kept, was_kept = threading.Event(), threading.Event()

    with Store.open(tmp_path / "state") as store:
        heartbeat = store.queue.heartbeat

        def handle(job):
            assert is_kept.wait(60)
            store.queue.finish(job)

        def late(job, seconds):
            is_kept.set()
            while not running.is_idle(lambda: True):
                time.sleep(0.01)
            was_kept.set()
            heartbeat(job, seconds)

        monkeypatch.setattr(store.queue, "heartbeat", late)
        with engine(store, handle) as running:
            store.queue.enqueue("a", "x", None)
            running.wake()
            assert was_kept.wait(60)
        for thread in threading.enumerate():
            if thread.name == "heartbeat":
                thread.join(60)

    assert caplog.messages == []
