"""Read recorded logs whole, and turn them into the events of one pipeline in the order of their times."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

from msgspec import Struct, field
from msgspec.structs import replace

from aiops_core.catalogue import Catalogue
from aiops_core.component import LogDetector, Source
from aiops_core.context import Context
from aiops_core.detection import Detection, Fault
from aiops_core.errors import UserError
from aiops_core.pipeline import Pipeline
from aiops_core.records import Event, LogBatch
from aiops_core.store import release_named
from aiops_core.text.blocks import Cutter, Piece
from aiops_core.text.places import Places

_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""When lines happened that name no time, where no line does."""


class _Stream(Struct):
    cutter: Cutter
    last: LogBatch
    places: Places = field(default_factory=Places)

    @property
    def end(self) -> int:
        return self.last.offset + len(self.last.data)


def read_logs(paths: Sequence[Path]) -> Iterator[LogBatch]:
    """Yield what files and directories hold, in their order; raise UserError for what is not there."""
    kind = Catalogue().load("sources", "file", Path.cwd())
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such file or directory. Name a log file, or a directory of them")
        config = kind.config_type.model_validate({"paths": [str(path.resolve())], "start": "beginning"})
        context = Context(name="replay", logger=logging.getLogger("aiops.replay"), once=True)
        source = cast("Source", kind(config, context))
        yield from (signal for signal in source.source({}) if isinstance(signal, LogBatch))


def find_events(pipeline: Pipeline, batches: Iterable[LogBatch], fault: Fault) -> list[Event]:
    """Return the events that a pipeline finds, each with the time at which it is read: its own."""
    found = list(_detected(pipeline, batches, fault))
    first = min((event.occurred_at for event in found if event.occurred_at is not None), default=_NO_TIME)
    reached: dict[str, datetime] = {}
    timed = []
    for event in found:
        at = event.occurred_at or reached.get(event.stream, first)
        reached[event.stream] = at
        timed.append(replace(event, read_at=at))
    return sorted(timed, key=lambda event: event.read_at or first)


def _detected(pipeline: Pipeline, batches: Iterable[LogBatch], fault: Fault) -> Iterator[Event]:
    steps = [step for step in pipeline.of_kind("detectors") if isinstance(step.component, LogDetector)]
    detection = Detection(
        [(step.name, cast("LogDetector", step.component)) for step in steps],
        detect=lambda owner, claim: steps[owner].call("detect", block=claim.block),
        fault=fault,
        grouping=pipeline.config.grouping,
        zone=pipeline.config.zone,
    )
    known = _Known(pipeline)
    for number, (batch, places, claims) in enumerate(_cut(pipeline, detection, batches)):
        for claim in claims:
            events = detection.events(claim, batch=batch, key=partial(_key, number, claim.start))
            yield from (known.completed(places.placed(event)) for event in events)


def _cut(
    pipeline: Pipeline, detection: Detection, batches: Iterable[LogBatch]
) -> Iterator[tuple[LogBatch, Places, Iterable[Piece]]]:
    streams: dict[str, _Stream] = {}
    lines = pipeline.config.context
    for batch in batches:
        stream = streams.get(batch.stream)
        if stream is None or stream.end != batch.offset:
            if stream is not None:
                yield stream.last, stream.places, stream.cutter.flush()
            cutter = Cutter(detection.grammar, batch.offset, before=lines.before, after=lines.after)
            stream = streams[batch.stream] = _Stream(cutter, batch)
        stream.last = batch
        stream.places.note(batch, stream.cutter.low_water)
        yield batch, stream.places, stream.cutter.feed(batch.data)[0]
    for stream in streams.values():
        yield stream.last, stream.places, stream.cutter.flush()


def _key(*numbers: int) -> str:
    return "-".join(map(str, numbers))


class _Known:
    """What a pipeline's settings say of every event, as its first source would yield it, wherever the log is."""

    def __init__(self, pipeline: Pipeline) -> None:
        sources = [step.component for step in pipeline.of_kind("sources")]
        self._is_unchecked = any(isinstance(one, Source) and not one.checks_senders for one in sources[:1])
        repository = pipeline.config.repository
        self._release = repository.release if repository is not None else ""

    def completed(self, event: Event) -> Event:
        event = replace(event, path=Path(event.path).name, unauthenticated=self._is_unchecked)
        if self._release and not release_named(event.attributes):
            event = replace(event, attributes={**event.attributes, "release": self._release})
        return event
