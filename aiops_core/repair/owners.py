"""Who owns files: CODEOWNERS as GitHub and as GitLab read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

Dialect: TypeAlias = Literal["github", "gitlab"]
PLACES: dict[Dialect, tuple[str, ...]] = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
}
"""Where a file of owners may be, the first that is there counts."""
_TOO_LONG = 1 << 20
_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>(?:\s+\S+)*)\s*")
_FIELDS = re.compile(r"(?:\\.|[^\s\\])+")
_LOGIN = re.compile(r"@(?!@)[A-Za-z0-9_][\w.-]*(?:/[\w.-]+)*")


class _Rule(Struct, frozen=True):
    pattern: _Pattern
    owners: tuple[str, ...]
    section: str = ""
    excludes: bool = False


class _Pattern(Struct, frozen=True):
    """A pattern, name by name, so that no pattern takes longer than its length times the path's."""

    names: tuple[str, ...]
    is_anchored: bool
    means: Literal["file", "folder", "either"]

    def matches(self, path: Sequence[str]) -> bool:
        """Return whether the path, as its names, is one of those meant."""
        reached = {0} if self.is_anchored else set(range(len(path)))
        for number, name in enumerate(self.names, 1):
            if name == "**":
                first = min(reached, default=len(path)) + (number == len(self.names))
                reached = set(range(first, len(path) + 1))
            else:
                reached = {at + 1 for at in reached if at < len(path) and _fits(name, path[at])}
        is_whole, is_above = len(path) in reached, bool(reached - {0, len(path)})
        return (is_whole and self.means != "folder") or (is_above and self.means != "file")


def code_owners(read: Callable[[str], bytes | None], paths: Sequence[str]) -> list[str]:
    """Return who owns any of the paths, by the first file of owners that ``read`` finds."""
    for dialect, places in PLACES.items():
        for place in places:
            content = read(place)
            if content is not None:
                return owners_of(paths, content[:_TOO_LONG].decode("utf-8", "replace"), dialect)
    return []


def owners_of(paths: Iterable[str], text: str, dialect: Dialect) -> list[str]:
    """Return the logins (``ann``, ``group/team``) that own any of the paths, the owner of most first.

    The last rule that matches a path decides, in GitLab the last of each section. Addresses and
    roles are left out: no forge lets them be asked by that name.
    """
    rules = _read(text, dialect)
    counts: dict[str, int] = {}
    for path in paths:
        for owner in _owners(path, rules):
            counts[owner] = counts.get(owner, 0) + 1
    return sorted(counts, key=lambda owner: -counts[owner])


def _owners(path: str, rules: Sequence[_Rule]) -> list[str]:
    decided: dict[str, tuple[str, ...]] = {}
    excluded: set[str] = set()
    names = path.split("/")
    for rule in rules:
        if rule.pattern.matches(names):
            decided[rule.section] = rule.owners
            excluded |= {rule.section} if rule.excludes else set()
    found = [owner for section, owners in decided.items() if section not in excluded for owner in owners]
    return list(dict.fromkeys(name.removeprefix("@") for name in found if _LOGIN.fullmatch(name)))


def _read(text: str, dialect: Dialect) -> list[_Rule]:
    rules: list[_Rule] = []
    section = ""
    default: tuple[str, ...] = ()
    for line in text.splitlines():
        fields = _fields(line)
        if dialect == "gitlab" and (match := _SECTION.fullmatch(line.strip())):
            section, default = match["name"].strip().lower(), tuple(_fields(match["owners"]))
        elif fields and (rule := _rule(fields, section, default, dialect)) is not None:
            rules.append(rule)
    return rules


def _fields(line: str) -> list[str]:
    fields: list[str] = _FIELDS.findall(line)
    comment = next((at for at, field in enumerate(fields) if field.startswith("#")), len(fields))
    return fields[:comment]


def _rule(fields: Sequence[str], section: str, default: tuple[str, ...], dialect: Dialect) -> _Rule | None:
    pattern, *owners = fields
    excludes = dialect == "gitlab" and pattern.startswith("!")
    if dialect == "github" and re.match(r"!|.*\[", pattern):  # GitHub skips such lines
        return None
    pattern = re.sub(r"\\(.)", r"\1", pattern.removeprefix("!") if excludes else pattern)
    return _Rule(_pattern(pattern, dialect), tuple(owners) or default, section, excludes)


def _pattern(text: str, dialect: Dialect) -> _Pattern:
    """Read a pattern; without a slash inside it holds at any depth.

    GitLab anchors only what begins with a slash; GitHub, as gitignore, what has one inside, and what
    names a folder means all in it there without a slash at the end.
    """
    names = tuple(name for name in text.split("/") if name)
    is_anchored = text.startswith("/") or (dialect == "github" and len(names) > 1)
    if text.endswith("/"):
        return _Pattern(names, is_anchored, "folder")
    is_file = dialect == "gitlab" or text.endswith("*")
    return _Pattern(names, is_anchored, "file" if is_file else "either")


def _fits(pattern: str, name: str) -> bool:
    """Return whether a name fits a pattern of stars and question marks."""
    at = star = 0
    seen, retry = -1, 0
    while at < len(name):
        if star < len(pattern) and pattern[star] == "*":
            seen, retry, star = star, at, star + 1
        elif star < len(pattern) and pattern[star] in ("?", name[at]):
            at, star = at + 1, star + 1
        elif seen >= 0:
            retry += 1
            at, star = retry, seen + 1
        else:
            return False
    return not pattern[star:].strip("*")
