"""aiops doctor: what works on this machine, and what a pipeline file needs of it."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click

from aiops_core.cli.health import Finding, state_health
from aiops_core.cli.state import printable
from aiops_core.component import Component
from aiops_core.errors import AiopsError
from aiops_core.pipeline import Loaded, Pipeline
from aiops_core.probing import absences


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def doctor(file: Path | None) -> None:
    """Look at this machine, at what FILE (default: pipeline.yaml if it is there) needs, and how its run does.

    Every part is told with what to do where it does not do well: logs that are not there, the run, its queue, targets
    and messages, models, budgets, disk, failures. `aiops check --probe` reaches what is outside. Exit 2 when something a pipeline needs does
    not work.
    """
    findings = list(_machine())
    path = file or Path("pipeline.yaml")
    if file is not None or path.exists():
        findings += _pipeline_file(path)
    signs = {"ok": "✓", "note": "·", "bad": "✗"}
    for state, what, text in findings:
        click.echo(f"{signs[state]} {what}: {printable(text)}")
    if any(state == "bad" for state, _, _ in findings):
        sys.exit(2)


def _machine() -> Iterator[Finding]:
    yield "ok", "python", f"{platform.python_version()} on {platform.platform()}"
    yield _git()
    yield _sandbox()
    for module, without in (
        ("hyperscan", "scanning is slower"),
        ("re2", "your patterns see 4 KiB of a line only"),
    ):
        if find_spec(module):
            yield "ok", module, "installed"
        else:
            yield "note", module, f"not installed: {without}"
    yield _plugins()


def _git() -> Finding:
    path = shutil.which("git")
    if path is None:
        return "bad", "git", "not found. Install it, nothing can be repaired without"
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return "ok", "git", done.stdout.strip()


def _sandbox() -> Finding:
    from aiops_core.repair import sandbox_problem

    problem = sandbox_problem()
    if problem is None:
        return "ok", "bubblewrap", "works"
    return "note", "bubblewrap", f"{problem}. Tests run only with 'repository.sandbox: none'"


def _plugins() -> Finding:
    from aiops_core.catalogue import Catalogue

    entries = Catalogue().entries
    twice = [name for (_, name), owners in entries.items() if len(owners) > 1]
    if twice:
        return "bad", "plugins", f"claimed by two distributions: {', '.join(twice)}. Uninstall one of each"
    return "ok", "plugins", f"{len(entries)} installed ('aiops plugins --probe' imports them all)"


def _pipeline_file(path: Path) -> Iterator[Finding]:
    from aiops_core.pipeline import load

    try:
        loaded = load(path, is_thorough=True)
    except AiopsError as error:
        for line in str(error).splitlines():
            yield "bad", "pipeline file", line
        return
    yield "ok", "pipeline file", f"{path} is fine"
    yield from state_health(loaded)
    for pipeline in loaded.pipelines:
        yield from (("note", name, text) for name, text in absences(pipeline))
        yield from _steps(pipeline)
        repository = pipeline.config.repository
        if repository is None:
            continue
        if repository.sandbox == "bubblewrap" and _sandbox()[0] != "ok" and repository.test:
            text = "bubblewrap does not work here. Install it, or set repository.sandbox: none"
            yield "bad", f"{pipeline.name}.repository", text
        yield _reach(loaded, pipeline.name, repository)


def _steps(pipeline: Pipeline) -> Iterator[Finding]:
    """Ask the steps that can tell whether they work here."""
    for step in pipeline.steps:
        if type(step.component).problem is Component.problem:
            continue
        problem = step.component.problem()
        what = f"{pipeline.name}.{step.name}"
        yield ("ok", what, "works here") if problem is None else ("bad", what, f"it is off: {problem}")


def _reach(loaded: Loaded, name: str, repository: object) -> Finding:
    from aiops_core.repository import open_mirror
    from aiops_core.settings import Repository

    assert isinstance(repository, Repository)
    try:
        mirror = open_mirror(repository, loaded.state / "mirrors")
        mirror.refresh()
        return (
            "ok",
            f"{name}.repository",
            f"reached, {repository.branch or mirror.default_branch()} is at {mirror.head()[:12]}",
        )
    except AiopsError as error:
        return "bad", f"{name}.repository", str(error)
