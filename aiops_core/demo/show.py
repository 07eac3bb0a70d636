"""Play the demo: start the pipeline, let the service crash, and tell what happens when."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from aiops_core import logs
from aiops_core.demo.stage import Stage, set_stage
from aiops_core.errors import AiopsError
from aiops_core.pipeline import Surroundings, load
from aiops_core.runner import Runner
from aiops_core.store import RunRow, Store
from aiops_core.text.phrases import counted

LONGEST = 150.0
"""Seconds after which the demo gives up."""


def play(directory: Path, say: Callable[[str], None]) -> bool:
    """Play the demo in ``directory``; return whether a fix branch came out of it."""
    started = time.monotonic()

    def tell(text: str) -> None:
        say(f"[{time.monotonic() - started:5.1f} s] {text}")

    stage = set_stage(directory)
    _introduce(stage, tell)
    surroundings = Surroundings(stopping=threading.Event())
    loaded = load(stage.pipeline, surroundings=surroundings)
    settings = loaded.document.logging.model_copy(update={"level": "warning"})
    logs.configure(settings, directory=stage.directory, secrets=loaded.secrets)
    runner = Runner(loaded, surroundings.stopping, logger=surroundings.logger)
    failure: list[Exception] = []
    thread = threading.Thread(target=_run, args=(runner, failure, surroundings.stopping), name="demo-runner")
    thread.start()
    try:
        run = _watch(stage, loaded.state, surroundings.stopping, tell)
    finally:
        surroundings.stopping.set()
        thread.join()
    if failure:
        raise failure[0]
    return _conclude(stage, loaded.state, run, tell, say)


def _introduce(stage: Stage, tell: Callable[[str], None]) -> None:
    tell(f"a repository of the service 'checkout' and its remote stand in {stage.directory}")
    if stage.analyzer == "claude":
        tell("ANTHROPIC_API_KEY is set: Claude is asked")
    else:
        tell("ANTHROPIC_API_KEY is not set: the analysis is a recorded answer, no model is asked")
    if stage.sandbox_problem:
        tell(f"tests run with 'sandbox: none', unprotected: {stage.sandbox_problem}")
    else:
        tell("tests run in a bubblewrap sandbox, without network")


def _run(runner: Runner, failure: list[Exception], stopping: threading.Event) -> None:
    try:
        runner.run()
    except AiopsError as error:
        failure.append(error)
        stopping.set()


def _watch(
    stage: Stage, state: Path, stopping: threading.Event, tell: Callable[[str], None]
) -> RunRow | None:
    """Let the service run, and tell each step as the database learns of it."""
    deadline = time.monotonic() + LONGEST
    while not (state / "aiops.db").exists() and not stopping.wait(0.05):
        pass
    service = _start_service(stage)
    tell(f"the service runs (pid {service.pid}) and logs to {stage.log.name}")
    told: set[str] = set()
    run: RunRow | None = None
    with Store.open(state) as store:
        while time.monotonic() < deadline and not stopping.wait(0.1):
            run = _look(store, told, tell)
            if (
                run is not None
                and run.finished_at is not None
                and service.poll() is not None
                and _all_sent(store)
            ):
                break
    service.wait()
    return run


def _start_service(stage: Stage) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "app",
        "--orders",
        str(stage.directory / "orders.jsonl"),
        "--log",
        str(stage.log),
    ]
    return subprocess.Popen([*command, "--pause", "0.05"], cwd=stage.deployed)


def _look(store: Store, told: set[str], tell: Callable[[str], None]) -> RunRow | None:
    run: RunRow | None = None
    for incident in store.incidents.list(limit=10):
        _once(f"incident {incident.id}", f"detected: {incident.title}", told, tell)
        found = store.runs.latest(incident.id)
        if found is None:
            continue
        run = found
        for step in store.runs.steps(found.id):
            if step.finished_at is not None:
                took = (step.finished_at - step.started_at).total_seconds()
                error = f": {step.error.splitlines()[0]}" if step.error else ""
                _once(f"step {step.name}", f"{step.name}: {step.state} in {took:.2f} s{error}", told, tell)
    return run


def _once(key: str, text: str, told: set[str], tell: Callable[[str], None]) -> None:
    if key not in told:
        told.add(key)
        tell(text)


def _all_sent(store: Store) -> bool:
    rows = store.deliveries.list()
    return bool(rows) and all(row.state in {"sent", "dead"} for row in rows)


def _conclude(
    stage: Stage, state: Path, run: RunRow | None, tell: Callable[[str], None], say: Callable[[str], None]
) -> bool:
    """Say what came out of it, and where it is."""
    if run is None:
        say(f"nothing was detected within {LONGEST:.0f} s; {stage.log} holds what the service logged")
        return False
    with Store.open(state) as store:
        incident = store.incidents.get(run.incident_id)
        change, outcomes = store.runs.change(run.id), store.runs.outcomes(run.id)
    tell(f"done: {counted(incident.count, 'event')} {'is' if incident.count == 1 else 'are'} one incident")
    if change is not None and change.before is not None and change.after is not None:
        tell(
            f"tests before: {_tests(change.before.tests, change.before.passed)}, after: {_tests(change.after.tests, change.after.passed)}"
        )
    branch = next(
        (str(outcome.data["branch"]) for outcome in outcomes.values() if outcome.status == "done"), ""
    )
    reports = sorted((stage.directory / "reports").glob("*.html"))
    say("")
    if branch:
        say(f"branch   {branch} in {_here(stage.remote)}")
        say(f"diff     git -C {_here(stage.remote)} diff main...{branch}")
    else:
        say("branch   none: " + "; ".join(outcome.summary for outcome in outcomes.values()))
    for report in reports:
        say(f"report   {_here(report)}")
    say(f"pipeline {_here(stage.pipeline)}")
    say(f"next     {_program()} incidents show {incident.id} --file {_here(stage.pipeline)}")
    logging.getLogger("aiops").handlers.clear()
    return bool(branch)


def _tests(count: int | None, passed: bool) -> str:
    return f"{count if count is not None else 'some'} {'passed' if passed else 'not all passed'}"


def _here(path: Path) -> str:
    """Write a path the way a person at this prompt would."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _program() -> str:
    """Name the program as it can be called from here."""
    return "aiops" if shutil.which("aiops") else _here(Path(sys.executable).parent / "aiops")
