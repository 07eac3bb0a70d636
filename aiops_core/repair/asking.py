"""What a program may propose and only a person may allow: what goes or moves, and what reaches beyond the code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from aiops_core.errors import Refused
from aiops_core.records import Change, ChangedFile, Edit, Question
from aiops_core.repair.protected import anywhere, pins_dependencies

_PATHS: Mapping[Question, tuple[re.Pattern[str], str]] = {
    "new-dependency": (
        anywhere(
            *(r"[^/]*requirements[^/]*\.(?:txt|in)", r"requirements/[^/]+", r"setup\.(?:py|cfg)"),
            *(r"pyproject\.toml", r"pipfile", r"environment\.ya?ml", r"package\.json", r"go\.mod"),
            *(r"cargo\.toml", r"pom\.xml", r"gemfile", r"[^/]+\.gradle(?:\.kts)?", r"composer\.json"),
            *(r"[^/]+\.gemspec", r"[^/]+\.(?:cs|fs)proj"),
        ),
        "which names dependencies",
    ),
    "container-file": (
        anywhere(
            *(r"(?:dockerfile|containerfile)(?:[.-][^/]*)?", r"[^/]+\.dockerfile"),
            *(r"(?:docker-)?compose[^/]*\.ya?ml",),
        ),
        "which decides what runs in production",
    ),
    "migration": (
        anywhere(r"migrations?/.*", r"alembic/versions/.*", r"db/migrate/.*"),
        "which changes a database",
    ),
}


def names_dependencies(path: str) -> bool:
    """Return whether a file says what the program depends on."""
    return pins_dependencies(path) or _PATHS["new-dependency"][0].fullmatch(path) is not None


def asked_about(edits: Sequence[Edit]) -> tuple[tuple[Question, str], ...]:
    """Return what a person must allow in edits, and why, each question once."""
    found: dict[Question, list[str]] = {}
    for edit in edits:
        for question, why in _of_edit(edit):
            found.setdefault(question, []).append(why)
    return tuple((question, f"it {' and '.join(dict.fromkeys(whys))}") for question, whys in found.items())


def check_asked(change: Change) -> None:
    """Refuse a change whose files raise a question that it does not ask."""
    asked = {question for question, _ in change.asks}
    for file in change.files:
        for question in _of_file(file):
            if question not in asked and not (question == "delete" and "rename" in asked):
                raise Refused(
                    f"{file.path}: a person must approve this ({question}), and nobody was asked. "
                    "Retry the incident for a new fix.",
                    rule=question,
                )


def _of_edit(edit: Edit) -> Iterator[tuple[Question, str]]:
    if edit.kind == "delete":
        yield "delete", f"deletes {edit.path}"
    elif edit.kind == "rename":
        yield "rename", f"renames {edit.path} to {edit.to}"
    for path in filter(None, (edit.path, edit.to)):
        yield from ((question, f"changes {path}, {_PATHS[question][1]}") for question in _of_path(path))


def _of_file(file: ChangedFile) -> Iterator[Question]:
    if file.content is None:
        yield "delete"
    yield from _of_path(file.path)


def _of_path(path: str) -> list[Question]:
    return [question for question, (pattern, _) in _PATHS.items() if pattern.fullmatch(path)]
