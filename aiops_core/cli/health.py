"""How every part of a run does, by its state directory: each with what to do where it does not do well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from aiops_core.cli.state import first_line, when
from aiops_core.errors import AiopsError
from aiops_core.text.phrases import counted, size_text

if TYPE_CHECKING:
    from aiops_core.pipeline import Loaded
    from aiops_core.store import Store

Finding: TypeAlias = tuple[str, str, str]
"""(ok, note or bad; what was looked at; what was found and what to do)."""
_ALIVE = timedelta(minutes=1)
_SHOWN = 10
_MOST = 1_000


def state_health(loaded: Loaded) -> Iterator[Finding]:
    """Yield how the state directory, the run, its queue, messages, models and budgets do."""
    from aiops_core.store import Store

    directory = loaded.state
    if directory.exists() and not directory.is_dir():
        yield "bad", "state", f"{directory} is no directory. Name one in 'state:'"
        return
    if not (directory / "aiops.db").exists():
        yield "note", "state", f"{directory} is made by the first 'aiops run'"
        return
    try:
        with Store.open(directory) as store:
            yield from [*_disk(loaded, store), *_run(loaded, store), *_queue(store), *_messages(store)]
            yield from [*_budgets(loaded, store), *_models(store), *_failures(store)]
    except AiopsError as error:
        yield "bad", "state", str(error)


def _disk(loaded: Loaded, store: Store) -> Iterator[Finding]:
    free, size = shutil.disk_usage(loaded.state).free, store.retention.size()
    least, most = loaded.document.watch.disk, loaded.document.retention.size
    about = f"{loaded.state}, {size_text(size)}, {size_text(free)} of disk are left"
    if free < least:
        yield "bad", "state", f"{about}, fewer than {size_text(least)}. Free some, or lower watch.disk"
    elif size > most:
        remedy = f"more than retention.size ({size_text(most)}). Run 'aiops db prune', or raise it"
        yield "note", "state", f"{about}; {remedy}"
    else:
        yield "ok", "state", about


def _run(loaded: Loaded, store: Store) -> Iterator[Finding]:
    from aiops_core.store import holder

    held = holder(loaded.state)
    if held is None:
        yield "note", "run", "nobody watches. Start 'aiops run', or 'systemctl start' its service"
        return
    alive = store.states("").get("run", {}).get("alive")
    ago = store.clock() - datetime.fromisoformat(alive) if alive else None
    about = f"process {held['pid']} ({held['command']}) since {held.get('since', '?')}"
    if ago is not None and ago > _ALIVE:
        text = (
            f"{about}, last sign of life {when(store.clock() - ago)}. Look into its log, then start it again"
        )
        yield "bad", "run", text
    else:
        yield "ok", "run", about


def _queue(store: Store) -> Iterator[Finding]:
    waiting, dead = store.queue.count_due(_MOST), store.queue.jobs("dead", _MOST)
    many = "at least " if waiting == _MOST else ""
    text = f"{many}{counted(waiting, 'job')} due"
    yield (
        ("note", "queue", f"{text}. Raise 'workers' if that lasts")
        if waiting == _MOST
        else ("ok", "queue", text)
    )
    for job in dead[:_SHOWN]:
        why = first_line(job.error) if job.error else "no word"
        yield (
            "note",
            "given up",
            f"{job.kind} {job.key}: {why}. Try it again with 'aiops jobs requeue {job.id}'",
        )
    if len(dead) > _SHOWN:
        yield "note", "given up", f"{len(dead) - _SHOWN} more: 'aiops jobs list --in-state dead'"


def _messages(store: Store) -> Iterator[Finding]:
    for target, problem, count in store.deliveries.troubles():
        text = f"{counted(count, 'message')} not taken: {first_line(problem)}. See 'aiops deliveries list'"
        yield "note", f"target {target}", text
    silences = store.silences.active()
    if silences:
        held = sum(one.count for one in silences)
        text = f"{counted(len(silences), 'silence')} holding back, {counted(held, 'message')} so far"
        yield "ok", "silences", f"{text}: 'aiops silence list'"


def _budgets(loaded: Loaded, store: Store) -> Iterator[Finding]:
    for pipeline in loaded.pipelines:
        limit = pipeline.config.policy.budget.per_day
        of = f" of {limit}" if limit else ", without a limit"
        yield "ok", f"{pipeline.name}.budget", f"{store.spending.taken(pipeline.name)} within 24 hours{of}"


def _models(store: Store) -> Iterator[Finding]:
    for model in store.endpoints.all():
        if model.state == "up":
            yield "ok", "model", f"{model.name} answers"
            continue
        until = f", asked again at {model.until:%H:%M}Z" if model.until else ""
        remedy = ". Correct it, then run 'aiops reload'" if model.state == "refused" else until
        yield "note", "model", f"{model.name} is {model.state}: {model.reason.rstrip('.')}{remedy}"


def _failures(store: Store) -> Iterator[Finding]:
    for fault in store.faults()[:_SHOWN]:
        count = counted(fault.count, "time")
        text = f"{fault.pipeline}: {fault.text} ({count}, last {fault.last_at:%Y-%m-%d %H:%M}Z)"
        yield "note", "fault", text
