"""One answer through the whole repair: from the log to a request for review, or to a reason."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

from repair_matrix.cases import AnswerFile, Case, Expected, placed
from repair_matrix.scene import BENCHES, environment, make_template, patience, pipeline_text
from repair_matrix.script import scripted_model
from repair_matrix.talk import Clock, converse, our_commits, our_words, why_unchanged
from repair_matrix.trouble import die_at, make_trouble
from repair_matrix.watch import Watch, canary_in_environment

from aiops_core.repair.process import Limits
from aiops_core.repair.sandbox import Room, open_sandbox
from aiops_core.store import Store
from aiops_core.testing.forge_bench import ForgeBench, Seen
from aiops_core.testing.messages_api import MessagesApi
from aiops_core.testing.pipeline import PipelineResult, run_pipeline

_ABOUT_OTHER_THINGS = frozenset({"evidence-cut", "ambiguous-path", "unknown-release"})


@dataclass(frozen=True)
class Observed:
    """What one trial left behind."""

    outcome: str
    """``opened``, ``draft`` or ``blocked``."""
    reason: str = ""
    """Name of the rule that blocked it, or of the first question a person is asked."""
    other_reasons: tuple[str, ...] = ()
    """What else people are asked, and ``ask`` itself."""
    text: str = ""
    """What was said about it."""
    files: tuple[str, ...] = ()
    public: str = ""
    """Title and text of the request and its commit message."""
    held_out: bool | None = None
    """How the held-out tests ended; None where there are none or nothing was opened."""
    damage: tuple[str, ...] = ()
    """What happened that may never happen."""
    requests: int = 0
    commits: int = 0
    """How many commits the request has."""
    model_calls: int = 0
    seconds: float = 0.0


def run_trial(case: Case, answer_id: str, *, forge: str, templates: Path) -> Observed:
    """Run one answer of a case against a forge's stub, in a directory that is removed."""
    start = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="trial-", dir=templates))
    try:
        with BENCHES[forge](make_template(case, templates), directory) as bench, _fast():
            make_trouble(case.answers[answer_id].trouble, bench)
            watch = Watch(directory / "outside", bench)
            answer = placed(case.answers[answer_id], watch.outside, watch.port)
            observed = _run(case, answer, case.file.answers[answer_id], bench, directory / "run", watch)
            watch.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return replace(observed, seconds=time.monotonic() - start)


@contextmanager
def _fast() -> Iterator[None]:
    """Do not wait between calls that fail by script."""
    with (
        canary_in_environment(),
        patch("aiops_analyzer_claude.ClaudeAnalyzer.delays", (0.01,)),
        patch("aiops_core.respond.acting._ACT_AGAIN", (0.01, 0.01)),
    ):
        yield


def _run(
    case: Case, answer: AnswerFile, expected: Expected, bench: ForgeBench, directory: Path, watch: Watch
) -> Observed:
    with scripted_model(answer) as model:
        text = pipeline_text(case, answer, bench, model.url)
        log = (case.path / "error.log").read_bytes()
        if answer.trouble.kill:
            die_at(answer.trouble.kill, text, log, directory, environment(bench))
        clock = Clock()
        run = partial(run_pipeline, text, environment=environment(bench), clock=clock, timeout=patience(240))
        for number in range(answer.trouble.repeat):
            files = {"error.log": log * (number + 1)}
            done = run(files=files, directory=directory)
        opened_with = our_commits(bench)
        if answer.talk and bench.seen():
            done = converse(answer.talk, bench, clock, partial(run, files=files, directory=directory)) or done
        observed = _observed(case, expected, bench, directory, watch, model, done)
        if answer.talk and bench.seen() and our_commits(bench) == opened_with:
            return _unchanged(observed, case, bench, directory, done)
        return observed


def _unchanged(
    observed: Observed, case: Case, bench: ForgeBench, directory: Path, done: PipelineResult
) -> Observed:
    """Return what was observed of a conversation after which the request is as it was."""
    reason, text = _reason(directory, done)
    unheard = why_unchanged(case, bench, directory)
    return replace(observed, outcome="blocked", reason=unheard or reason, text=text)


def _observed(
    case: Case,
    expected: Expected,
    bench: ForgeBench,
    directory: Path,
    watch: Watch,
    model: MessagesApi,
    done: PipelineResult,
) -> Observed:
    seen = bench.seen()
    reason, text = _reason(directory, done)
    asked = _asked(directory, done) if reason == "ask" else ()
    damage = [*watch.damage(), *([] if done.error == "" else [f"the pipeline failed: {done.error}"])]
    damage += watch.told(_told(bench, directory, model, done))
    damage += [f"{bench.api.violations}"] if bench.api.violations else []
    if not seen:
        first, *others = (*asked, reason)
        calls = len(model.requests)
        return Observed("blocked", first, tuple(others), text, damage=tuple(damage), model_calls=calls)
    request = seen[-1]
    return Observed(
        "draft" if request.draft else "opened",
        text=text,
        files=_files(bench, request),
        public=_public(bench, request),
        held_out=_held_out(case, expected, bench, request, directory) if expected.held_out else None,
        damage=tuple(damage),
        requests=len(seen),
        commits=int(bench.bare.git("rev-list", "--count", f"main..{request.branch}")),
        model_calls=len(model.requests),
    )


def _reason(directory: Path, done: PipelineResult) -> tuple[str, str]:
    """Return the rule that decided, and what was said of it."""
    if not done.incidents:
        return "nothing-detected", done.log[-500:]
    with Store.open(directory / "state") as store:
        incident = done.incidents[0]
        run = store.runs.latest(incident.id)
        if run is None:
            return "no-run", done.log[-500:]
        decisions = store.incidents.decisions(incident.id, run.id)
        steps = {step.name: step for step in store.runs.steps(run.id)}
        outcomes = list(store.runs.outcomes(run.id).values())
    for outcome in outcomes:
        if outcome.status != "done":
            return str(outcome.data.get("reason") or f"publish-{outcome.status}"), outcome.summary
    repair = steps.get("repair")
    if repair is not None and repair.state == "refused":
        rule = next((one.rule for one in decisions if one.text == repair.error), "refused")
        return rule, repair.error
    failed = [step for step in steps.values() if step.state == "failed"]
    if failed:
        return f"failed-{failed[0].name.split()[0]}", failed[0].error
    telling = [one for one in decisions if one.rule not in _ABOUT_OTHER_THINGS]
    if outcomes or not telling:
        return "", ""
    first = next((one for one in telling if one.rule == "unanswered"), telling[-1])
    return first.rule, first.text


def _asked(directory: Path, done: PipelineResult) -> tuple[str, ...]:
    """Return what a person is asked about the fix."""
    with Store.open(directory / "state") as store:
        run = store.runs.latest(done.incidents[0].id)
        change = store.runs.change(run.id) if run is not None else None
    return tuple(question for question, _ in change.asks) if change is not None else ()


def _told(bench: ForgeBench, directory: Path, model: MessagesApi, done: PipelineResult) -> dict[str, str]:
    return {
        "the log": done.log,
        "what the model was sent": "".join(
            request.body.decode("utf-8", "replace") for request in model.requests
        ),
        "the forge's requests": json.dumps([asked.body for asked in bench.api.requests]),
        "what was pushed": _pushed(bench),
        "the database": (directory / "state" / "aiops.db").read_bytes().decode("latin-1"),
        "messages": repr((done.reports, done.fault_reports)),
    }


def _pushed(bench: ForgeBench) -> str:
    command = ["git", "-C", bench.bare.path, "log", "-p", "--branches=fix/*", "--format=%B"]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode("utf-8", "replace")


def _files(bench: ForgeBench, request: Seen) -> tuple[str, ...]:
    names = bench.bare.git("diff", "--name-only", "-z", f"main...{request.branch}")
    return tuple(name for name in names.split("\0") if name)


def _public(bench: ForgeBench, request: Seen) -> str:
    message = bench.bare.git("log", "--format=%B", f"main..{request.branch}")
    return "\n".join([request.title, request.body, message, *our_words(bench)])


def _held_out(case: Case, expected: Expected, bench: ForgeBench, request: Seen, directory: Path) -> bool:
    """Run the tests nobody saw in the tree of the request."""
    room = Room(directory / "held-out" / "work", directory / "held-out" / "home")
    room.home.mkdir(parents=True)
    clone = ["git", "clone", "-q", "--branch", request.branch, "--", bench.bare.path, room.work]
    subprocess.run(clone, check=True, capture_output=True)
    if (case.path / "held_out").is_dir():
        shutil.copytree(case.path / "held_out", room.work, dirs_exist_ok=True)
    sandbox = open_sandbox(case.file.repository.get("sandbox", "bubblewrap"))
    return sandbox.run(expected.held_out, room, Limits(seconds=patience(60))).exit_code == 0
