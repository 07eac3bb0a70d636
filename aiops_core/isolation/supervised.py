"""A component's process that is begun again, with growing pauses, when it dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping

from aiops_core.context import Context
from aiops_core.endpoints import EndpointNews
from aiops_core.errors import AiopsError, ProcessEnded
from aiops_core.isolation.nursery import Nursery
from aiops_core.isolation.terms import Order, Surroundings, exposed
from aiops_core.isolation.wire import Header, load
from aiops_core.isolation.worker import Ask, Worker
from aiops_core.plain import to_plain
from aiops_core.records import Json

_FIRST, _LONGEST = 1.0, 300.0
_STEADY = 60.0
"""Seconds after which a process that lived counts as one that works."""
_SPARE = 60.0
"""Seconds that a process waits for the start after it was looked at."""
_BEGIN = 60.0
"""Seconds that importing and starting a plugin may take."""
_SHARE = 500
"""How many times longer than a call that ended its process held its caller none is begun: others keep their speed."""
_UNNOTICED = 0.05
"""Seconds that a call may hold its caller at no such price."""
_LONGEST_OFF = 3600.0
"""Seconds without a process at most, after a call that took too long."""


class Supervised:
    """Have a process for one component, whatever becomes of it."""

    def __init__(self, order: Order, context: Context, nursery: Nursery) -> None:
        self._order = order
        self._nursery = nursery
        self.context = context
        self._lock = threading.RLock()
        self._worker: Worker | None = None
        self._spare: Worker | None = None
        self._is_wanted = False
        self._wait = _FIRST
        self._back_at = 0.0
        self._why = ""

    def describe(self) -> Json:
        """Return what the component is; the process that says it waits a while for the start."""
        worker = self._begun()
        try:
            said = worker.call("describe", {}, seconds=_BEGIN, stopping=threading.Event())
        except BaseException:
            worker.kill("it could not be looked at")
            raise
        self._spare = worker
        timer = threading.Timer(_SPARE, self._let_go)
        timer.daemon = True
        timer.start()
        return said

    def start(self) -> None:
        """Begin the process with a started component; raise what its start raises."""
        self._end_worker()
        self._is_wanted = True
        self._worker = self._became()

    def stop(self) -> None:
        """End the process, for good."""
        self._let_go()
        self._end_worker()

    def _end_worker(self) -> None:
        self._is_wanted = False
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()

    def _let_go(self) -> None:
        """End the process that nobody started."""
        spare = self._took_spare()
        if spare is not None:
            spare.kill("nobody started it")

    def _took_spare(self) -> Worker | None:
        with self._lock:
            spare, self._spare = self._spare, None
        return spare

    def call(
        self,
        name: str,
        arguments: Json,
        *,
        seconds: float,
        asks: Mapping[str, Ask] | None = None,
        patience: float = 0.0,
    ) -> Json:
        """Return what a call gives; raise ProcessEnded when there is no process within ``patience`` seconds."""
        worker, began = self._at_work(patience), time.monotonic()
        try:
            return worker.call(name, arguments, seconds=seconds, stopping=self.context.stopping, asks=asks)
        except ProcessEnded as error:
            self._look_after(worker, held=time.monotonic() - began)
            error.after, error.was_called = self._seconds_to_next(), True
            raise
        finally:
            self._look_after(worker, held=time.monotonic() - began)

    def follow(self, name: str, arguments: Json, *, seconds: float) -> Iterator[tuple[Header, bytes]]:
        """Yield all that a call says."""
        worker = self._at_work()
        try:
            yield from worker.follow(name, arguments, seconds=seconds, stopping=self.context.stopping)
        finally:
            self._look_after(worker)

    def tell(self, header: Header) -> None:
        """Say what needs no answer."""
        worker = self._worker
        if worker is not None:
            worker.tell(header)

    def _at_work(self, patience: float = 0.0) -> Worker:
        worker, deadline = self._worker, time.monotonic() + patience
        while worker is None and self._is_wanted and time.monotonic() < deadline:
            if self.context.stopping.wait(0.1):
                break
            worker = self._worker
        if worker is None and not self._is_wanted:
            with self._lock:
                worker = self._worker = self._worker or self._became(is_started=False)
        if worker is not None and not worker.is_gone:
            return worker
        if worker is not None:
            self._look_after(worker)
        left = self._seconds_to_next()
        raise ProcessEnded(
            f"its process ended: {self._why}; it is begun again within {left:.0f} s", after=left
        )

    def _seconds_to_next(self) -> float:
        return max(self._back_at - time.monotonic(), 0.0) + 1.0

    def _look_after(self, worker: Worker, held: float = 0.0) -> None:
        """See to it that there will be another process where this one ended by itself, a call of so many seconds with it."""
        with self._lock:
            if worker is not self._worker or not (worker.is_gone or worker.is_ending):
                return
            self._worker, self._why = None, worker.why
            if not self._is_wanted:
                return
            lived = time.monotonic() - worker.began
            self._wait = _FIRST if lived > _STEADY else min(self._wait * 2, _LONGEST)
            longest = _LONGEST_OFF if worker.took_too_long else _LONGEST
            has_others = not self.context.once  # who reads once waits for nobody else
            share = min(held * _SHARE, longest) if held > _UNNOTICED and has_others else 0.0
            self._back_at = time.monotonic() + max(self._wait, share)
        threading.Thread(target=self._bring_back, name="isolated-again", daemon=True).start()

    def _bring_back(self) -> None:
        while self._is_wanted and not self.context.stopping.wait(max(self._back_at - time.monotonic(), 0)):
            try:
                worker = self._became()
            except (AiopsError, OSError) as error:
                self._why = str(error)
                self._wait = min(self._wait * 2, _LONGEST)
                self._back_at = time.monotonic() + self._wait
                continue
            with self._lock:
                is_wanted = self._is_wanted and self._worker is None
                if is_wanted:
                    self._worker = worker
            if not is_wanted:
                worker.stop()
            return

    def _begun(self) -> Worker:
        return Worker(self._order, self._nursery, self.context.logger, self._heard)

    def _became(self, *, is_started: bool = True) -> Worker:
        """Return a process whose component is made, and started where it is to work."""
        context, worker = self.context, self._took_spare()
        if worker is None or worker.is_ending:
            worker = self._begun()
        repository = context.repository
        found = Surroundings(
            pipeline=context.pipeline,
            name=context.name,
            once=context.once,
            scratch=str(context.scratch),
            mirrors=str(context.mirrors),
            repository=None if repository is None else exposed(repository.model_dump()),
            language=context.language,
            state=dict(context.state),
            level=context.logger.getEffectiveLevel(),
            is_started=is_started,
        )
        try:
            worker.call("become", to_plain(found), seconds=_BEGIN, stopping=threading.Event())
        except BaseException:
            worker.kill("it did not start")
            raise
        return worker

    def _heard(self, header: Header) -> None:
        """Take what belongs to no call: state, log, faults and news of addresses."""
        if "state" in header:
            state = dict(header["state"])
            self.context.state.update(state)
            for key in [key for key in self.context.state if key not in state]:
                del self.context.state[key]
        elif "log" in header:
            self._log(*header["log"])
        elif "fault" in header:
            cause, text = map(str, header["fault"])
            if self.context.tell is not None:
                self.context.tell(cause, text)
            else:
                self.context.logger.warning("%s", text)
        elif "news" in header:
            self.context.endpoints.note(load(EndpointNews, header["news"]))

    def _log(self, level: int, text: str, trace: str) -> None:
        logger = self.context.logger
        if logger.isEnabledFor(int(level)):
            record = logger.makeRecord(
                logger.name, int(level), "", 0, "%s", (str(text),), None, sinfo=str(trace) or None
            )
            logger.handle(record)
