"""What no automatic fix may touch."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator

from aiops_core.errors import Refused
from aiops_core.repair.denied import AGENT_FILES, RULES, anywhere
from aiops_core.repair.layout import is_test
from aiops_core.repair.paths import Manifest, check_name, check_parents

MODES = ("100644", "100755")


_AGENT = anywhere(*AGENT_FILES)
_RUNNERS = re.compile(
    r"(?:.*/)?(?:gnu)?(?:makefile|justfile|taskfile\.ya?ml|rakefile)|.*\.(?:sh|bash)", re.IGNORECASE
)

_CHECKER = re.compile(
    r"(?:.*/)?(?:run|tests?|checks?|ci|verify|suite)[^/.]*(?:\.(?:py|[cm]?[jt]s|rb|pl|php))?"
)
_INTERPRETER = re.compile(r"(?:python|pypy|node|deno|bun|ruby|perl|php|tsx)[\d.]*")
_SEARCHED = ("", "src", "lib")


def pins_dependencies(path: str) -> bool:
    """Return whether a file pins versions of dependencies, as tools write them."""
    return any(rule.name == "lock-file" and rule.pattern.fullmatch(path) for rule in RULES)


def is_agent_configuration(path: str) -> bool:
    """Return whether coding agents and their tools take instructions or settings from a path (S5)."""
    return _AGENT.fullmatch(path) is not None


def check_mode(path: str, mode: str) -> None:
    """Refuse an edit that makes anything but a regular file (S31)."""
    if mode and mode not in MODES:
        kind = {"120000": "symlink", "160000": "submodule"}.get(mode, "special-file")
        raise Refused(f"{path}: it would become a {kind}. Change regular files only.", rule=kind)


def check_protected(path: str) -> None:
    """Refuse a path on the deny list, wherever it lies, naming the rule."""
    for rule in RULES:
        if rule.pattern.fullmatch(path):
            raise _refused(path, rule.why, rule.name)


def check_path(path: str, *, files: Manifest, commands: Collection[str] = ()) -> None:
    """Refuse a change of a path that is not for a program to change, naming the rule.

    ``commands`` are the setup and test commands: scripts they name decide how tests run.
    """
    check_name(path)
    check_parents(path, files)
    check_protected(path)
    entry = files.get(path)
    if entry is not None and not entry.is_file:
        raise Refused(f"{path}: it is a {entry.kind}. Change a regular file.", rule=entry.kind)
    if entry is not None and is_test(path):
        raise _refused(
            path, "it is an existing test, and tests decide whether a fix is right", "tests-weakened"
        )
    if _is_runner(path, commands):
        raise _refused(path, "the test command runs it", "tests-weakened")
    if entry is None and _shadows_python(path):
        raise _refused(path, "Python would take it for its own module of that name", "tests-weakened")


def _shadows_python(path: str) -> bool:
    """Return whether Python would find a new file before its own module of that name."""
    place, _, name = path.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")
    is_searched = place in _SEARCHED or is_test(path)
    return path.endswith(".py") and is_searched and name in sys.stdlib_module_names


def _is_runner(path: str, commands: Collection[str]) -> bool:
    if _CHECKER.fullmatch(path):
        return any(
            path == program or path.endswith(f"/{program}")
            for command in commands
            for program in _programs(command)
        )
    if not _RUNNERS.fullmatch(path):
        return False
    words = {word.removeprefix("./") for command in commands for word in re.split(r"[\s;&|'\"=()]+", command)}
    name = path.rpartition("/")[2].lower()
    return path in words or (
        name.endswith("file") and bool(words & {"make", "gmake", "just", "task", "rake"})
    )


def _programs(command: str) -> Iterator[str]:
    """Yield the files that a shell command runs: first words, and what interpreters are given."""
    for part in re.split(r"[;&|\n()]+", command):
        words = [word.strip("'\"") for word in part.split()]
        words = [word for word in words if not re.match(r"-|\w+=|env$", word)]
        if words and _INTERPRETER.fullmatch(words[0].rpartition("/")[2]):
            words.pop(0)
        yield from (word.removeprefix("./") for word in words[:1])


def _refused(path: str, why: str, rule: str) -> Refused:
    return Refused(f"{path}: {why}. Fix the problem in the program's own code instead.", rule=rule)
