"""Set the stage: a repository with its remote, a deployed copy, and the pipeline that watches it."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path

from msgspec import Struct

from aiops_core.errors import UserError
from aiops_core.repair import sandbox_problem

_MARKER = ".aiops-demo"
_AUTHOR = {
    "GIT_AUTHOR_NAME": "Checkout Team",
    "GIT_AUTHOR_EMAIL": "checkout@example.org",
    "GIT_COMMITTER_NAME": "Checkout Team",
    "GIT_COMMITTER_EMAIL": "checkout@example.org",
}

_PIPELINE = """\
state: ./state
pipelines:
  checkout:
    sources:
      - uses: file
        with: {{paths: [./checkout.log], start: beginning}}
    detectors: [python, levels]
    repository:
      url: {remote}
      paths: {{{deployed}/: ""}}
      test: python3 -m unittest
      sandbox: {sandbox}
    analyzers:
{analyzers}
    actions:
      - uses: local_branch
        mode: auto
    notifiers:
      - uses: console
        with: {{html_directory: ./reports}}
"""
_CLAUDE = """\
      - uses: claude
        with: {api_key: "${env:ANTHROPIC_API_KEY}"}
"""
_RECORDED = """\
      - uses: recorded
        with: {path: ./answer.yaml}
"""


class Stage(Struct, frozen=True):
    """Where everything of one demo stands."""

    directory: Path
    remote: Path
    deployed: Path
    log: Path
    pipeline: Path
    analyzer: str
    sandbox: str
    sandbox_problem: str | None


def set_stage(directory: Path) -> Stage:
    """Build the stage in an empty directory, or anew in one an earlier demo made."""
    try:
        _clear(directory)
        return _set_stage(directory.resolve())
    except OSError as error:
        what = error.strerror or error
        raise UserError(f"{directory}: cannot be written ({what}). Name another --directory") from None


def _set_stage(directory: Path) -> Stage:
    remote, deployed = directory / "checkout.git", directory / "deployed"
    with as_file(files("aiops_core.demo")) as package:
        shutil.copytree(package / "service", deployed, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(package / "answer.yaml", directory / "answer.yaml")
    (deployed / "gitignore").rename(deployed / ".gitignore")
    (deployed / "orders.jsonl").rename(directory / "orders.jsonl")
    _git(deployed, "init", "--quiet", "--initial-branch=main")
    _git(deployed, "add", "--all")
    _git(deployed, "commit", "--quiet", "--message=checkout: price orders with coupons")
    _git(directory, "clone", "--quiet", "--bare", str(deployed), str(remote))
    problem = sandbox_problem()
    has_key = bool(os.environ.get("ANTHROPIC_API_KEY"))
    text = _PIPELINE.format(
        remote=remote,
        deployed=deployed,
        sandbox="none" if problem else "bubblewrap",
        analyzers=((_CLAUDE if has_key else "") + _RECORDED).rstrip("\n"),
    )
    (directory / "pipeline.yaml").write_text(text, "utf-8")
    (directory / "checkout.log").touch()
    return Stage(
        directory=directory,
        remote=remote,
        deployed=deployed,
        log=directory / "checkout.log",
        pipeline=directory / "pipeline.yaml",
        analyzer="claude" if has_key else "recorded",
        sandbox="none" if problem else "bubblewrap",
        sandbox_problem=problem,
    )


def _clear(directory: Path) -> None:
    if directory.exists() and any(directory.iterdir()):
        if not (directory / _MARKER).exists():
            raise UserError(f"{directory}: not empty, and no demo made it. Name another --directory")
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    (directory / _MARKER).touch()


def _git(directory: Path, *arguments: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {**_AUTHOR, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    try:
        subprocess.run(
            ["git", *arguments], cwd=directory, env=environment, check=True, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise UserError("git: not found. Install git and try again") from None
    except subprocess.CalledProcessError as error:
        raise UserError(f"git {arguments[0]}: {error.stderr.strip()}. Mend this and try again") from None
