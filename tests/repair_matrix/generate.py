"""Make cases, in the format of any case, of the services and the templates of answers."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from repair_matrix import templates
from repair_matrix.cases import Case, read_cases
from repair_matrix.services import Found, read_services
from repair_matrix.templates import Made

SERVICES = Path(__file__).parent / "services"
WRITTEN = Path(__file__).parent / "cases"
_ALWAYS: tuple[Callable[[Found], Iterator[Made]], ...] = (templates.good, templates.wrong)
_FIRST: tuple[Callable[[Found], Iterator[Made]], ...] = (templates.malformed, templates.malicious)
_ONE_A_LANGUAGE = frozenset({"cart", "checkout", "billing"})
"""Services that agents and troubles are tried on."""


def own_cases() -> list[Case]:
    """Return the written cases and the made ones, whose files live as long as this process."""
    folder = Path(tempfile.mkdtemp(prefix="repair-matrix-cases-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_cases(folder)
    return [*read_cases(WRITTEN), *read_cases(folder)]


def write_cases(target: Path) -> None:
    """Write a case for each bug below ``target``."""
    for found in read_services(SERVICES):
        _write(found, target / found.case)


def _write(found: Found, folder: Path) -> None:
    shutil.copytree(found.root / "repo", folder / "repo", symlinks=True)
    (folder / "repo" / "current").symlink_to("/etc/hostname")
    (folder / "error.log").write_text(found.bug.log.replace("{line}", str(found.line)), "utf-8")
    held_out = folder / "held_out" / found.named(found.about.held_out.path)
    held_out.parent.mkdir(parents=True)
    held_out.write_text(found.bug.held_out, "utf-8")
    (folder / "answers").mkdir()
    expected: dict[str, Mapping[str, Any]] = {}
    for name, answer, expectation in _made(found):
        (folder / "answers" / f"{name}.json").write_text(json.dumps(answer), "utf-8")
        expected[name] = expectation
    facts = {
        "repository": found.about.repository,
        "detectors": [found.about.language],
        "requires": list(found.about.requires),
        "answers": expected,
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(facts, sort_keys=False, allow_unicode=True), "utf-8")


def _made(found: Found) -> Iterator[Made]:
    for make in (*_ALWAYS, *(_FIRST if found.is_first else ())):
        yield from make(found)
    if found.is_first and found.service in _ONE_A_LANGUAGE:
        yield from templates.agentic(found)
        yield from templates.infrastructure(found)
