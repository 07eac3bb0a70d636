"""What a directory tells of a service: its logs, its units, where its code comes from, how it is tested."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from aiops_core.draft.draft import Draft, Part
from aiops_core.draft.forges import forge_action
from aiops_core.draft.testing import test_commands

_LOG_FOLDERS = ("log", "logs", "var/log", "storage/logs", "data/logs")
_UNIT_FOLDERS = (".", "deploy", "deployment", "systemd", "packaging", "etc", "contrib", "ops", "scripts")
_LEAST_NAME = 3
_PATIENCE = 5.0
_LOGIN = re.compile(r"(?<=://)[^/@]*@")
_SCP_LIKE = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)")
_SSH = re.compile(r"ssh://(?:[\w.-]+@)?([\w.-]+)(?::\d+)?/(.+)")


def from_directory(directory: Path, environment: Mapping[str, str], root: Path = Path("/")) -> Draft:
    """Return what a first pipeline file for a directory would hold; ``root`` is where /var/log is."""
    directory = directory.resolve()
    draft = Draft(_service_name(directory))
    _add_sources(draft, directory, root)
    _add_repository(draft, directory, environment)
    claude = Part(
        "claude",
        {"api_key": "${env:ANTHROPIC_API_KEY}"},
        "Claude finds the cause and proposes a fix. Set the key, then take the comment signs away.",
        off=not environment.get("ANTHROPIC_API_KEY"),
    )
    draft.analyzers += [claude, Part("knowledge", note="Known errors and their remedies; needs no key.")]
    draft.notifiers.append(
        Part("console", note="Prints here. email, slack, webhook and others: aiops plugins.")
    )
    return draft


def _service_name(directory: Path) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", directory.name.lower()).strip("-") or "service"


def _add_sources(draft: Draft, directory: Path, root: Path) -> None:
    if logs := list(_logs(directory, root)):
        draft.sources.append(Part("file", {"paths": logs}))
        draft.notes.append(f"logs: {', '.join(logs)}")
    if units := sorted({*_own_units(directory), *_known_units(directory.name)}):
        draft.sources.append(Part("journald", {"units": units}))
        draft.notes.append(f"units of systemd: {', '.join(units)}")
    if not draft.sources:
        note = "No log was found here: name the files or directories of yours."
        draft.sources.append(Part("file", {"paths": ["./app.log"]}, note))
        draft.notes.append("no logs: name them under 'sources'")


def _logs(directory: Path, root: Path) -> Iterator[str]:
    if any(directory.glob("*.log")):
        yield "./*.log"
    for name in _LOG_FOLDERS:
        if any((directory / name).glob("**/*.log")):
            yield f"./{name}/"
    if len(directory.name) >= _LEAST_NAME:
        for path in (root / "var/log" / directory.name, root / "var/log" / f"{directory.name}.log"):
            if path.exists():
                yield f"{path}/" if path.is_dir() else str(path)


def _own_units(directory: Path) -> Iterator[str]:
    for folder in _UNIT_FOLDERS:
        for path in (directory / folder).glob("*.service"):
            if "@" not in path.name:
                yield path.name


def _known_units(name: str) -> Iterator[str]:
    """Yield the units of this machine whose name has the directory's name in it."""
    said = _said(
        ["systemctl", "list-units", "--type=service", "--all", "--plain", "--no-legend", "--no-pager"]
    )
    for line in said.splitlines():
        unit = line.split()[0] if line.split() else ""
        if len(name) >= _LEAST_NAME and unit.endswith(".service") and name.lower() in unit.lower():
            yield unit


def _add_repository(draft: Draft, directory: Path, environment: Mapping[str, str]) -> None:
    if not (directory / ".git").exists():
        draft.notes.append("no git repository: nothing is repaired without one")
        return
    url = _remote(directory)
    draft.repository["url"] = url
    draft.notes.append(f"repository: {url}")
    found = list(test_commands(directory))
    if found:
        setup, test = found[0]
        draft.repository |= {"setup": setup, "test": test} if setup else {"test": test}
        draft.notes.append(f"tests: {' or '.join(test for _, test in found)}")
    else:
        draft.repository_off["test"] = "make test"
        draft.notes.append("no test command: a fix is not published by itself without one")
    draft.actions += forge_action(draft, url, environment)


def _remote(directory: Path) -> str:
    """Return the address of the remote without a login, over HTTPS where it was SSH; ./ without one."""
    git = ["git", "-C", str(directory), "remote"]
    names = _said(git).split()
    name = "origin" if "origin" in names else next(iter(names), "")
    url = _said([*git, "get-url", name]).strip() if name else ""
    if not url:
        return "./"
    if "://" not in url and Path(directory, url).exists():
        return url if url.startswith(("/", "./", "../")) else f"./{url}"
    if match := _SSH.fullmatch(url) or (_SCP_LIKE.fullmatch(url) if "://" not in url else None):
        return f"https://{match[1]}/{match[2]}"
    return _LOGIN.sub("", url)


def _said(command: list[str]) -> str:
    """Return what a program prints, "" where it is not there or does not like it here."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
