"""Build the documentation site from README, docs, plugins and examples: scripts/site.py [DIRECTORY]."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from aiops_core.cli.reference import document_schema

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_FENCE_INFO = re.compile(r"^```(\w+) (\S+)$", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Lay out the pages and let zensical build them; return its exit code, 1 for any warning."""
    directory = Path(arguments[0] if arguments else ROOT / "build" / "site").resolve()
    shutil.rmtree(directory, ignore_errors=True)
    pages = dict(_pages())
    for source, name in pages.items():
        target = directory / "pages" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(source, pages), "utf-8")
    settings = yaml.safe_load((ROOT / "docs" / "site.yaml").read_text("utf-8"))
    shutil.copytree(ROOT / "docs" / "site", directory / "pages" / "site")
    schema = json.dumps(document_schema(), indent=1)
    (directory / "pages" / "reference" / "pipeline.schema.json").write_text(schema, "utf-8")
    _write_settings(directory, settings, pages)
    builder = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(builder, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        return 1
    sys.stdout.write(f"{directory / 'html'}: {len(pages)} pages\n")
    return 0


def _pages() -> Iterator[tuple[Path, str]]:
    """Yield every page with its name in the site."""
    yield ROOT / "README.md", "index.md"
    for name in ("CONTRIBUTING", "SECURITY", "CHANGELOG"):
        yield ROOT / f"{name}.md", f"{name.lower()}.md"
    for path in sorted((ROOT / "docs").rglob("*.md")):
        yield path, path.relative_to(ROOT / "docs").as_posix()
    for path in sorted((ROOT / "benchmarks").glob("*.md")):
        yield path, f"benchmarks/{path.name}"
    yield ROOT / "examples" / "README.md", "examples/index.md"
    for path in sorted((ROOT / "examples").glob("*/README.md")):
        yield path, f"examples/{path.parent.name}.md"
    for path in sorted((ROOT / "plugins").glob("*/*/README.md")):
        yield path, f"plugins/{path.parent.parent.name}/{path.parent.name}.md"


def page(source: Path, pages: Mapping[Path, str]) -> str:
    """Return a page with its links as the site needs them; what is no page of it is named, not linked."""
    here = Path(pages[source]).parent

    def link(match: re.Match[str]) -> str:
        label, target = match[1], match[2]
        path, mark, anchor = target.partition("#")
        if "://" in target or target.startswith(("mailto:", "#")):
            return match[0]
        meant = (source.parent / path).resolve()
        if meant in pages:
            return f"[{label}]({os.path.relpath(pages[meant], here)}{mark}{anchor})"
        title = f"{meant.relative_to(ROOT)}{mark}{anchor}"
        return f'<span class="source" title="{title}">{label}</span>'

    parts = _FENCE.split(source.read_text("utf-8"))
    prose = [part if part.startswith("```") else _LINK.sub(link, part) for part in parts]
    return _FENCE_INFO.sub(r'``` { .\1 title="\2" }', "".join(prose))


def _write_settings(directory: Path, settings: dict[str, Any], pages: Mapping[Path, str]) -> None:
    """Write what the builder reads; the plugins are put into its table of contents kind by kind."""
    plugins: dict[str, list[dict[str, str]]] = {}
    for name in pages.values():
        if name.startswith("plugins/"):
            _, kind, file = name.split("/")
            plugins.setdefault(kind, []).append({file.removesuffix(".md"): name})
    settings["nav"].append({"Plugins": [{kind.capitalize(): of} for kind, of in plugins.items()]})
    settings["nav"] = _unfolded(settings["nav"], sorted(pages.values()))
    missing = sorted(set(pages.values()) - set(_named(settings["nav"])))
    if missing:
        raise SystemExit(f"docs/site.yaml: not in the table of contents: {', '.join(missing)}")
    settings |= {"docs_dir": "pages", "site_dir": "html"}
    (directory / "mkdocs.yml").write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")


def _unfolded(nav: Any, names: list[str]) -> Any:  # Any: a tree of lists and mappings, as YAML has it
    """Put the pages of a folder in the place of its name, which ends in a slash."""
    if isinstance(nav, str):
        return [name for name in names if name.startswith(nav)] if nav.endswith("/") else nav
    if isinstance(nav, dict):
        return {title: _unfolded(part, names) for title, part in nav.items()}
    return [_unfolded(part, names) for part in nav]


def _named(nav: Any) -> Iterator[str]:  # Any: a tree of lists and mappings, as YAML has it
    if isinstance(nav, str):
        yield nav
    else:
        for part in nav.values() if isinstance(nav, dict) else nav:
            yield from _named(part)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
