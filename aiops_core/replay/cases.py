"""Test files: what a pipeline is expected to do about some lines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from aiops_core import document
from aiops_core.config import Config, Duration
from aiops_core.errors import UserError
from aiops_core.pipeline import Loaded, load
from aiops_core.replay.expectation import difference, narrowed
from aiops_core.replay.play import replay

PATTERN = "*_test.yaml"


class Case(Config):
    """Lines of a log, and what is expected to come of them."""

    lines: str = ""
    """Lines of a log, as they would stand in a file."""
    files: list[str] = Field(default=[])
    """Log files or directories, relative to the test file."""
    after: Duration = timedelta(hours=1)
    """How long the clock goes on after the last line."""
    expect: dict[str, Any]
    """What ``aiops replay`` is expected to say, as far as it is written here; under the name of the pipeline
    where there are several. Of a list every entry counts."""

    @model_validator(mode="after")
    def _has_logs(self) -> Case:
        if not self.lines and not self.files:
            raise ValueError("has nothing to read: write 'lines' or 'files'")
        return self


class CaseFile(Config):
    """A file of tests beside a pipeline file."""

    pipeline: str = ""
    """The pipeline file; when empty the one of this name without ``_test``, else ``pipeline.yaml``."""
    cassette: str = ""
    """Answers that stand for those of models, as ``recorded`` reads them."""
    tests: dict[str, Case] = Field(min_length=1)
    """The tests, under a sentence each."""


def find_case_files(paths: list[Path]) -> list[Path]:
    """Return the test files that are named or below the directories named; raise UserError for none."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such file or directory. Name a test file, or a directory")
        found += sorted(path.rglob(PATTERN)) if path.is_dir() else [path]
    if not found:
        places = ", ".join(map(str, paths))
        raise UserError(f"{places}: no {PATTERN} there. Write one beside the pipeline file")
    return found


def run_cases(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and difference of every test of a file, "" where all is as expected."""
    file = _read(path)
    directory = path.resolve().parent
    pipeline = directory / (file.pipeline or _pipeline_of(path))
    cassette = directory / file.cassette if file.cassette else None
    for name, case in file.tests.items():
        loaded = load(pipeline, needs_secrets=False)  # anew: components remember
        yield name, _failure(loaded, case, directory, cassette)


def _read(path: Path) -> CaseFile:
    text = document.read(path)
    checked = document.check(CaseFile, text.value, text, ())
    text.raise_problems()
    if not isinstance(checked, CaseFile):
        raise AssertionError("a file with problems was raised above")
    return checked


def _pipeline_of(path: Path) -> str:
    own = path.name.replace("_test.yaml", ".yaml")
    return own if (path.parent / own).exists() else "pipeline.yaml"


def _failure(loaded: Loaded, case: Case, directory: Path, cassette: Path | None) -> str:
    with tempfile.TemporaryDirectory(prefix="aiops-test-") as written:
        logs = [directory / name for name in case.files]
        if case.lines:
            logs.append(Path(written) / "lines.log")
            logs[-1].write_text(case.lines, "utf-8")
        found = replay(loaded, logs, cassette=cassette, after=case.after)
    expected = _by_pipeline(case.expect, loaded)
    return difference(expected, narrowed(found, expected))


def _by_pipeline(expect: Mapping[str, Any], loaded: Loaded) -> Mapping[str, Any]:
    names = list(loaded.document.pipelines)
    is_by_name = all(name in names for name in expect)
    return expect if is_by_name or len(names) > 1 else {names[0]: expect}
