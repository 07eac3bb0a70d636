"""The process of one component: it alone imports the plugin, and does what it is told over the pipe."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import socket
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

from msgspec.structs import replace

from aiops_core.component import Component
from aiops_core.context import Context
from aiops_core.endpoints import EndpointNews, Endpoints
from aiops_core.errors import UserError
from aiops_core.handover import WrongType, events_from, handed_over, named, signal_from
from aiops_core.host import make_component
from aiops_core.isolation.asking import Call, SentLines, Stopping, effect, looking
from aiops_core.isolation.describing import Wrong, checked, describe
from aiops_core.isolation.terms import STOPPED_FOR_MEMORY, Order, Surroundings, Terms
from aiops_core.isolation.wire import Channel, Header, dump, dump_error, load, types_of
from aiops_core.records import (
    Analysis,
    Event,
    Json,
    LogBatch,
    Outcome,
    Plan,
    Receipt,
    RecipientResult,
    Usage,
)
from aiops_core.settings import Repository
from aiops_core.text.lines import More, Span

_CALLS = 64
_END_WITHIN = 4.0
_RESULTS: Mapping[str, type] = {
    "analyze": Analysis,
    "estimate": Usage,
    "plan": Plan,
    "act": Outcome,
    "follow": Outcome,
    "notify": Receipt,
}


class _Log(logging.Handler):
    """Send the log to the host, which takes secrets out."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        with contextlib.suppress(Exception):
            self._channel.send({"log": [record.levelno, record.getMessage(), trace]})


class Child:
    """Be one component, from its order to the end of the pipe."""

    def __init__(self, channel: Channel, order: Order) -> None:
        self._channel = channel
        self._order = order
        self._stopping = Stopping()
        self._calls: dict[int, Call] = {}
        self._pool = ThreadPoolExecutor(_CALLS)
        self._committing = ThreadPoolExecutor(1)
        self._state = "{}"
        self._component: Component[Any] | None = None

    def run(self) -> None:
        """Do what is told until the pipe ends or says so."""
        while (frame := self._channel.read()) is not None:
            header, _ = frame
            if "do" in header:
                call = self._calls[header["call"]] = Call(self._channel, header["call"])
                self._pool.submit(self._do, header, call)
            elif "reply" in header and (call_asking := self._calls.get(header["reply"])):
                call_asking.reply(header)
            elif "taken" in header and (call_ahead := self._calls.get(header["taken"])):
                call_ahead.taken.release()
            elif "committed" in header:
                self._committing.submit(self._committed, *header["committed"])
            elif "stopping" in header:
                self._stopping.set()
            elif "end" in header:
                break
        self._stopping.set()
        stop = threading.Thread(target=self._stop, daemon=True)
        stop.start()
        stop.join(_END_WITHIN)

    def _stop(self) -> None:
        if self._component is not None:
            self._component.stop()

    def _do(self, header: Header, call: Call) -> None:
        try:
            work = getattr(self, f"_do_{header['do']}", None)
            if work is not None:
                answer = work(call, **header["with"])
            else:
                answer = self._hook(header["do"], call, dict(header["with"]))
            call.say(answer=answer, **self._news())
        except OSError as error:
            call.say(error=dump_error(error))
        except MemoryError:
            os._exit(STOPPED_FOR_MEMORY)
        except BaseException as error:
            call.say(error=dump_error(error), **self._news())
        finally:
            self._calls.pop(header["call"], None)

    # -- what a component is ------------------------------------------------------------------

    def _do_describe(self, call: Call) -> Json:
        return dump(Terms, describe(self._order, self._context(Surroundings())))

    def _do_become(self, call: Call, **surroundings: Json) -> Json:
        found = load(Surroundings, surroundings)
        logging.getLogger("aiops").setLevel(found.level)
        try:
            kind, config = checked(self._order)
        except Wrong as wrong:
            raise UserError("; ".join(one.text for one in wrong.mistakes)) from None
        context = self._context(found)
        self._state = json.dumps(context.state)
        self._component = make_component(kind, config, context)
        if found.is_started:
            self._component.start()
        return None

    def _context(self, found: Surroundings) -> Context:
        def tell(cause: str, text: str) -> None:
            self._channel.send({"fault": [cause, text]})

        def changed(news: EndpointNews) -> None:
            self._channel.send({"news": dump(EndpointNews, news)})

        repository = Repository.model_validate(found.repository) if found.repository is not None else None
        return Context(
            pipeline=found.pipeline,
            name=found.name,
            logger=logging.getLogger("aiops"),
            stopping=self._stopping,
            once=found.once,
            directory=Path(self._order.directory),
            scratch=Path(found.scratch),
            mirrors=Path(found.mirrors),
            repository=repository,
            language=found.language,
            state=dict(found.state),
            endpoints=Endpoints(changed=changed),
            tell=tell,
        )

    @property
    def component(self) -> Any:  # Any: of the kind that was ordered
        """The component, which is made with its surroundings."""
        if self._component is None:
            raise UserError("asked before it was made")
        return self._component

    def _news(self) -> dict[str, Json]:
        """Return what the component keeps, where it changed."""
        if self._component is None:
            return {}
        with contextlib.suppress(TypeError, ValueError, RuntimeError):
            state = json.dumps(self._component.context.state)
            if state != self._state:
                self._state = state
                return {"state": json.loads(state)}
        return {}

    # -- what a component does ----------------------------------------------------------------

    def _hook(self, hook: str, call: Call, arguments: dict[str, Json]) -> Json:
        own = {name: arguments.pop(name) for name in ("explorer", "served") if name in arguments}
        types = types_of("analyze" if hook == "estimate" else hook)
        given = types.load_arguments(arguments)
        context: Context = self.component.context
        with contextlib.ExitStack() as stack:
            if hook == "analyze":
                stack.enter_context(context.exploring(*looking(call, own["explorer"])))
            elif hook == "notify":
                served = load(dict[str, RecipientResult], own["served"])
                stack.enter_context(context.serving(served))
            elif hook in ("act", "follow", "remark"):
                stack.enter_context(context.recording(lambda name, key: effect(call, name, key)))
            result = getattr(self.component, hook)(**given)
        if hook == "detect":
            return dump(list[Event], events_from(result))
        if hook not in _RESULTS:
            return None
        kind = _RESULTS[hook]
        found: object = handed_over(hook, result, kind)
        if found is None and hook == "act":
            raise WrongType("act() returned None. Let it return an Outcome")
        if found is None and hook == "notify":
            found = Receipt()
        return None if found is None else dump(kind, found)

    def _do_cut(self, call: Call, lines: Header, hit: int) -> Json:
        cut = self.component.cut(SentLines(call, lines), hit)
        if isinstance(cut, Span):
            return {"start": cut.start, "end": cut.end, "is_record": cut.is_record}
        if isinstance(cut, More):
            return {"start": cut.start}
        if cut is not None:
            raise WrongType(f"cut() returned {named(cut)}. Let it return a Span, More or None")
        return None

    def _do_problem(self, call: Call) -> Json:
        problem: str | None = self.component.problem()
        return problem

    def _do_probe(self, call: Call) -> Json:
        return str(self.component.probe())

    def _do_source(self, call: Call, positions: Json) -> Json:
        self._stopping.looked_at_by(call)
        for signal_ in self.component.source(positions) or ():
            self._hand_over(call, signal_)
        return None

    def _hand_over(self, call: Call, found: object) -> None:
        signal_ = signal_from(found)
        while not call.taken.acquire(timeout=0.5):
            if threading.Event.is_set(self._stopping):
                return
        if isinstance(signal_, LogBatch):
            bare = dump(LogBatch, replace(signal_, data=b""))
            call.say(bytes(signal_.data), signal=bare, **self._news())
        else:
            call.say(signal={"event": dump(Event, signal_)}, **self._news())

    def _committed(self, stream: str, position: Json) -> None:
        try:
            self.component.committed(stream, position)
        except BaseException as error:
            name = self.component.context.name
            self._channel.send(
                {"fault": [f"source {name}: committed", f"source {name}: committed() raised {error!r}"]}
            )


def main(pipe: int) -> NoReturn:
    """Be the component that the pipe on the given descriptor orders."""
    channel = Channel(socket.socket(fileno=pipe))
    code = 1
    try:
        frame = channel.read()
        if frame is not None:
            header, _ = frame
            sys.path[:] = header["path"]
            order = load(Order, header["order"])
            _limit(order.memory)
            logger = logging.getLogger("aiops")
            logger.addHandler(_Log(channel))
            logger.propagate = False
            Child(channel, order).run()
        code = 0
    except MemoryError:
        code = STOPPED_FOR_MEMORY
    finally:
        sys.stdout.flush()
        os._exit(code)


def _limit(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
