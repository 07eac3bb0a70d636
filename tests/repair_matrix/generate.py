"""Make cases, in the format of any case, of the services and the templates of answers."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from repair_matrix.answers.agentic import agentic
from repair_matrix.answers.conversation import conversation
from repair_matrix.answers.good import good
from repair_matrix.answers.infrastructure import infrastructure
from repair_matrix.answers.malformed import malformed
from repair_matrix.answers.malicious import malicious
from repair_matrix.answers.reaching import reaching
from repair_matrix.answers.writing import Made
from repair_matrix.answers.wrong import wrong
from repair_matrix.cases import Case, read_cases
from repair_matrix.services import Found, read_services

SERVICES = Path(__file__).parent / "services"
WRITTEN = Path(__file__).parent / "cases"
_Make: TypeAlias = Callable[[Found], Iterator[Made]]
_ALWAYS: Sequence[_Make] = (good, wrong)
_FIRST: Sequence[_Make] = (malformed, malicious, reaching)
_ONE_A_LANGUAGE: Sequence[_Make] = (agentic, infrastructure, conversation)
_CHOSEN = frozenset({"cart", "checkout", "billing"})
"""Services, one of each language, that agents, troubles and conversations are tried on."""


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
    makes = [*_ALWAYS, *(_FIRST if found.is_first else ())]
    for make in (*makes, *(_ONE_A_LANGUAGE if found.is_first and found.service in _CHOSEN else ())):
        yield from make(found)
