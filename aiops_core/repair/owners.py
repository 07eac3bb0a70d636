"""Who owns files: CODEOWNERS as GitHub and as GitLab read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Dialect: TypeAlias = Literal["github", "gitlab"]
PLACES: dict[Dialect, tuple[str, ...]] = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
}
"""Where a file of owners may be, the first that is there counts."""
_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>(?:\s+\S+)*)\s*")
_FIELDS = re.compile(r"(?:\\.|[^\s\\])+")
_LOGIN = re.compile(r"@(?!@)[A-Za-z0-9_][\w.-]*(?:/[\w.-]+)*")


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    owners: tuple[str, ...]
    section: str = ""
    excludes: bool = False


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
    for rule in rules:
        if rule.pattern.fullmatch(path):
            decided[rule.section] = rule.owners
            excluded |= {rule.section} if rule.excludes else set()
    names = [owner for section, owners in decided.items() if section not in excluded for owner in owners]
    return list(dict.fromkeys(name.removeprefix("@") for name in names if _LOGIN.fullmatch(name)))


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
    return _Rule(_compiled(pattern, dialect), tuple(owners) or default, section, excludes)


def _compiled(pattern: str, dialect: Dialect) -> re.Pattern[str]:
    """Return the expression for whole paths; without a slash inside a pattern holds at any depth.

    GitLab anchors only what begins with a slash; GitHub, as gitignore, what has one inside.
    """
    is_folder = pattern.endswith("/")
    inner = pattern.strip("/")
    anchored = pattern.startswith("/") or (dialect == "github" and "/" in inner)
    body = "".join(_translated(part) for part in re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", inner))
    start = "" if anchored else "(?:.*/)?"
    return re.compile(start + body + _end(inner, dialect, is_folder=is_folder), re.DOTALL)


def _end(inner: str, dialect: Dialect, *, is_folder: bool) -> str:
    if is_folder:
        return "/.*"
    if dialect == "gitlab" or inner.endswith("*"):
        return ""
    return "(?:/.*)?"  # what names a folder means all in it


def _translated(part: str) -> str:
    return {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
