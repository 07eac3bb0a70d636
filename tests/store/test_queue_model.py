"""The lease queue against a model of it: whatever the order of calls, the two agree."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aiops_core.errors import LeaseLost
from aiops_core.store import Store

SECONDS, ATTEMPTS = 10, 2


class Queues(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.store = Store.open(Path(self.directory.name) / "state", clock=lambda: self.now)
        self.model = {}  # key: [state, attempts, due or end of lease, the job that holds it]
        self.held = []  # every job that was ever leased

    def teardown(self):
        self.store.close()
        self.directory.cleanup()

    @rule(key=st.sampled_from("abc"))
    def enqueue(self, key):
        added = self.store.queue.enqueue("kind", key, key, max_attempts=ATTEMPTS)

        assert added == (key not in self.model)
        self.model.setdefault(key, ["ready", 0, self.now, None])

    @rule()
    def lease(self):
        for entry in self.model.values():
            if entry[0] == "leased" and entry[2] <= self.now and entry[1] == ATTEMPTS:
                entry[0] = "dead"
        due = [key for key, entry in self.model.items() if entry[0] != "dead" and entry[2] <= self.now]

        job = self.store.queue.lease(["kind"], "me", SECONDS)

        assert (job is None) == (not due)
        if job:
            assert job.key in due
            assert all(job.token > old.token for old in self.held if old.id == job.id)
            self.held.append(job)
            attempts = self.model[job.key][1] + 1
            self.model[job.key] = ["leased", attempts, self.now + timedelta(seconds=SECONDS), job]

    @rule(seconds=st.sampled_from([1, SECONDS, 3 * SECONDS]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(which=st.integers(0, 20), act=st.sampled_from(["finish", "retry", "release", "heartbeat"]))
    def answer(self, which, act):
        if not self.held:
            return
        job = self.held[which % len(self.held)]
        entry = self.model.get(job.key)
        if not entry or entry[0] != "leased" or entry[3] is not job:
            with pytest.raises(LeaseLost):
                self._act(act, job)
            return
        self._act(act, job)
        if act == "finish":
            del self.model[job.key]
        elif act == "heartbeat":
            entry[2] = self.now + timedelta(seconds=SECONDS)
        elif act == "release":
            entry[:3] = ["ready", entry[1] - 1, job.due_at]
        else:
            entry[:3] = ["dead" if entry[1] == ATTEMPTS else "ready", entry[1], self.now]

    def _act(self, act, job):
        queue = self.store.queue
        if act == "retry":
            queue.retry(job, "no", self.now)
        elif act == "heartbeat":
            queue.heartbeat(job, SECONDS)
        else:
            getattr(queue, act)(job)

    @invariant()
    def agree(self):
        stored = {job.key: (job.state, job.attempts) for job in self.store.queue.jobs()}
        assert stored == {key: (entry[0], entry[1]) for key, entry in self.model.items()}


TestQueues = Queues.TestCase
TestQueues.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
