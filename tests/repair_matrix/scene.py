"""The scene of one trial: the case's repository on a forge's bench, and the pipeline over its log."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from repair_matrix.cases import AnswerFile, Case
from repair_matrix.talk import REVIEW

sys.path.insert(0, str(Path(__file__).parents[2] / "plugins/actions/github/tests"))
sys.path.insert(0, str(Path(__file__).parents[2] / "plugins/actions/gitlab/tests"))

from github_bench import GithubBench
from gitlab_bench import GitlabBench

from aiops_core.testing.forge_bench import ForgeBench
from aiops_core.testing.forge_scene import BareRepository

BENCHES: dict[str, type[ForgeBench]] = {"github": GithubBench, "gitlab": GitlabBench}
STAND_IN = Path(__file__).parents[2] / "plugins/analyzers/claude_cli/tests/stand_in.py"
KEY = "sk-ant-api03-matrix-key-matrix-key"
_GIT = ("git", "-c", "user.name=Ann", "-c", "user.email=ann@acme.example", "-c", "core.autocrlf=false")


def make_template(case: Case, directory: Path) -> BareRepository:
    """Make the bare repository with the case's files on main, once a case."""
    bare = directory / f"{case.name}.git"
    if bare.exists():
        return BareRepository(bare)
    work = directory / f"{case.name}.work"
    shutil.copytree(case.path / "repo", work, symlinks=True)
    for command in (["init", "-q", "-b", "main"], ["add", "--all", "--force"], ["commit", "-qm", "base"]):
        subprocess.run([*_GIT, *command], cwd=work, check=True)
    made = directory / f"{case.name}.new"
    subprocess.run(["git", "clone", "-q", "--bare", "--template=", str(work), str(made)], check=True)
    subprocess.run(["git", "-C", str(made), "config", "http.receivepack", "true"], check=True)
    made.rename(bare)
    return BareRepository(bare)


def stand_in(directory: Path) -> str:
    """Return a program that stands in for the agent's; it may be run."""
    program = directory / "agent.py"
    program.write_text(f"#!{sys.executable} -IS\n{STAND_IN.read_text('utf-8')}", "utf-8")
    program.chmod(0o755)
    return str(program)


def pipeline_text(case: Case, answer: AnswerFile, bench: ForgeBench, model_url: str) -> str:
    """Return the pipeline file: the error log in, a request for review out."""
    setup = bench.setup
    settings: dict[str, Any] = {"api_key": "${env:MODEL_KEY}", "base_url": model_url}
    if answer.agent:
        analyzer = {
            "uses": "claude_cli",
            "with": {**settings, "command": stand_in(bench.directory), **answer.settings},
        }
    else:
        analyzer = {"uses": "claude", "with": {**settings, "edits": "code_blocks", **answer.settings}}
    repository = {
        "test_timeout": f"{patience(30):.0f}s",
        "test": usual_test(case.path / "repo"),
        **case.file.repository,
        "url": setup.repository["url"],
        "token": "${env:FORGE_TOKEN}",
    }
    pipeline = {
        "sources": [{"uses": "file", "with": {"paths": ["./error.log"], "start": "beginning"}}],
        "detectors": case.file.detectors,
        "repository": repository,
        "analyzers": [analyzer],
        "actions": [
            {
                "uses": setup.action_type.words.component,
                "mode": "auto",
                "with": {"draft": False, "review": REVIEW, **setup.settings},
            }
        ],
        "policy": {"max_age": "36500d", **case.file.policy},
    }
    return yaml.safe_dump({"state": "./state", "pipelines": {case.name: pipeline}}, sort_keys=False)


def patience(seconds: float) -> float:
    """Return how long to wait for what takes at most so long on a machine with nothing else to do."""
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * min(max(busy, 1.0), 8.0)


def usual_test(repo: Path) -> str:
    """Return the command that usually runs the tests of such a repository, for cases that name none."""
    texts = {path: path.read_text("utf-8", "replace") for path in repo.iterdir() if path.is_file()}
    named = {path.name: text for path, text in texts.items()}
    if re.search(r"^test:", named.get("Makefile", ""), re.MULTILINE):
        return "make test"
    if "package.json" in named:
        has_script = "test" in json.loads(named["package.json"]).get("scripts", {})
        return "npm test --silent" if has_script else "node --test"
    if "pom.xml" in named:
        return "mvn -o -q test"
    if "go.mod" in named:
        return "go test -json ./..."
    if any(repo.rglob("*.py")):
        return "python3 -m pytest -q" if _needs_pytest(repo) else "python3 -m unittest discover"
    return "node --test" if any(repo.rglob("*.js")) or any(repo.rglob("*.mjs")) else ""


def _needs_pytest(repo: Path) -> bool:
    tests = [path.read_text("utf-8", "replace") for path in repo.rglob("test*.py")]
    return any(re.search(r"^def test|import pytest", text, re.MULTILINE) for text in tests)


def environment(bench: ForgeBench) -> dict[str, str]:
    """Return the secrets of the pipeline file."""
    return {"MODEL_KEY": KEY, "FORGE_TOKEN": bench.token}
