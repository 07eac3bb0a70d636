"""Give every distribution a version, and the changelog its section: scripts/version.py 0.2.0."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("security", "removed", "changed", "added", "fixed")
_VERSION = re.compile(r'^version = "(.+)"$', re.MULTILINE)
_NAME = re.compile(r'^name = "(.+)"$', re.MULTILINE)
_MARK = "<!-- versions -->\n"


def main(arguments: list[str]) -> int:
    """Write the version, and what changed."""
    try:
        version = Version(arguments[0]) if arguments else None
    except InvalidVersion:
        version = None
    if version is None:
        sys.stderr.write("version: no version. Write it as in: make version VERSION=0.2.0\n")
        return 2
    changes, mistakes = fragments(ROOT)
    if mistakes:
        sys.stderr.write("\n".join(mistakes) + "\n")
        return 2
    for project in projects(ROOT):
        project.write_text(
            _VERSION.sub(f'version = "{version}"', project.read_text("utf-8"), count=1), "utf-8"
        )
    log = ROOT / "CHANGELOG.md"
    section = f"{_MARK}\n## {version}\n\n{written(changes)}"
    log.write_text(log.read_text("utf-8").replace(_MARK, section, 1), "utf-8")
    for path in (ROOT / "changes").glob("*.*.*.md"):
        path.unlink()
    sys.stdout.write(f"{version}: {len(projects(ROOT))} distributions; look at CHANGELOG.md and commit\n")
    return 0


def projects(root: Path) -> list[Path]:
    """Return the description of each distribution, aiops-core first."""
    return [root / "pyproject.toml", *sorted((root / "plugins").glob("*/*/pyproject.toml"))]


def name_and_version(project: Path) -> tuple[str, str]:
    """Return what a distribution is called."""
    text = project.read_text("utf-8")
    name, version = _NAME.search(text), _VERSION.search(text)
    if name is None or version is None:
        raise SystemExit(f"{project}: no name or no version. Write both")
    return name[1], version[1]


def fragments(root: Path) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
    """Return what changed by distribution and kind, and what is wrong with the files that say so."""
    known = {name_and_version(project)[0] for project in projects(root)}
    changes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    mistakes = []
    for path in sorted((root / "changes").glob("*.md")):
        distribution, kind, *rest = [*path.name.removesuffix(".md").split(".")[:3], "", ""]
        text = " ".join(path.read_text("utf-8").split())
        if path.name == "README.md":
            continue
        if distribution not in known or kind not in KINDS or not rest[0] or not text:
            mistakes.append(f"changes/{path.name}: see changes/README.md for the name, and write a sentence")
        changes[distribution][kind].append(text)
    return changes, mistakes


def written(changes: dict[str, dict[str, list[str]]]) -> str:
    """Return the section of one version."""
    parts = []
    for distribution in sorted(changes):
        lines = [
            f"- {kind.capitalize()}: {text}" for kind in KINDS for text in changes[distribution].get(kind, ())
        ]
        parts.append(f"### {distribution}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts) or "Nothing that users see.\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
