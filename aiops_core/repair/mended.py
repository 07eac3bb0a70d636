"""Is a proposed fix on the branch already, and only not where the error came from?"""

from __future__ import annotations

from collections.abc import Sequence

from aiops_core.records import Edit
from aiops_core.repair.diff import source_text
from aiops_core.repair.edits import matches
from aiops_core.repair.layout import is_test
from aiops_core.repair.textfile import unify_line_ends
from aiops_core.repository import Mirror, map_frame

_LOOKED_AT = 50


def mended_in(edits: Sequence[Edit], mirror: Mirror, running: str, base: str) -> str | None:
    """Return the commit between ``running`` and ``base`` that made these very edits, None where none did.

    Every edit must fit the code that ran, fit it no more, and its new text must stand on ``base``.
    New tests, which prove a fix, are no part of it.
    """
    edits = [edit for edit in edits if not (edit.kind == "create" and is_test(edit.path))]
    paths = [_path(edit, mirror, base) for edit in edits]
    is_made = all(
        path is not None
        and matches(mirror.read(running, path), edit.search)
        and not matches(mirror.read(base, path), edit.search)
        and _holds(edit, mirror, base, path)
        for edit, path in zip(edits, paths, strict=True)
    )
    if not edits or not is_made:
        return None
    touched = mirror.log(base, [path for path in paths if path], _LOOKED_AT, since=running)
    made = (
        commit.id
        for commit in reversed(touched)
        if all(
            path and _holds(edit, mirror, commit.id, path) for edit, path in zip(edits, paths, strict=True)
        )
    )
    return next(made, None)


def _path(edit: Edit, mirror: Mirror, commit: str) -> str | None:
    files = mirror.files(commit)
    found = edit.path if edit.path in files else map_frame(edit.path, files, {})
    return found if edit.kind == "replace" and edit.replace.strip() and isinstance(found, str) else None


def _holds(edit: Edit, mirror: Mirror, commit: str, path: str) -> bool:
    return unify_line_ends(edit.replace).strip() in unify_line_ends(source_text(mirror.read(commit, path)))
