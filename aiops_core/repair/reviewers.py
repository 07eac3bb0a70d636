"""Who should review a change: its owners, else whoever last wrote the lines it touches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from aiops_core.records import Change
from aiops_core.repair.forge import Forge
from aiops_core.repair.owners import PLACES, Dialect, owners_of
from aiops_core.repository import Mirror

_MOST = 3
_TOO_LONG = 1 << 20
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+")


def find_reviewers(change: Change, mirror: Mirror, forge: Forge, dialect: Dialect) -> list[str]:
    """Return at most three logins: whom CODEOWNERS names at the base commit, else the lines' authors."""
    owners = _owners(change, mirror, dialect)
    return (owners or _authors(change, mirror, forge))[:_MOST]


def _owners(change: Change, mirror: Mirror, dialect: Dialect) -> list[str]:
    for place in PLACES[dialect]:
        content = mirror.read(change.base_commit, place)
        if content is not None:
            text = content[:_TOO_LONG].decode("utf-8", "replace")
            return owners_of([file.path for file in change.files], text, dialect)
    return []


def _authors(change: Change, mirror: Mirror, forge: Forge) -> list[str]:
    """Return the authors the forge knows, of the commits that wrote most of the lines first."""
    commits = Counter[str]()
    for path, line in _old_lines(change.diff):
        commits.update(blamed.commit for blamed in mirror.blame(change.base_commit, path, line, line))
    logins = (forge.author_of(commit) for commit, _ in commits.most_common(_MOST))
    return list(dict.fromkeys(login for login in logins if login))


def _old_lines(diff: str) -> Iterator[tuple[str, int]]:
    """Yield path and number of every line the diff removes; where it only adds, of the line before."""
    path, number, after = "", 0, False
    for line in diff.split("\n"):
        if line.startswith("diff --git a/"):
            path, number = line.removeprefix("diff --git a/").partition(" b/")[0], 0
        elif match := _HUNK.match(line):
            number, after = int(match[1]), False
        elif number and line.startswith("-"):
            yield path, number
            number, after = number + 1, True
        elif number and line.startswith("+"):
            if not after and number > 1:
                yield path, number - 1
            after = True
        elif number and line.startswith(" "):
            number, after = number + 1, False
