"""The text of a pipeline file: commented for people, and accepted by ``aiops check`` as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aiops_core.draft.draft import Draft, Part

_HEAD = """\
# What aiops watches, asks and tells. 'aiops check' says what is wrong with this file, 'aiops replay' what it
# would do about a log you have, 'aiops run' does it. 'aiops plugins NAME' shows the settings of a component.
# Secrets are only references: ${env:NAME}, ${file:PATH}, ${secret:NAME} (aiops secrets set).
"""
_KINDS = {
    "sources": "Where the logs are.",
    "analyzers": "Who explains an error: the first that can answer does.",
    "actions": "What is done with a tested fix: dry_run plans it, ask waits for you, auto does it.",
    "notifiers": "Who is told.",
}


def write_page(draft: Draft) -> str:
    """Return the pipeline file."""
    lines = [*_HEAD.splitlines(), "state: ./state", "pipelines:", f"  {_name(draft.name)}:"]
    lines += _steps("sources", draft.sources)
    if draft.repository:
        lines += _repository(draft)
    for kind in ("analyzers", "actions", "notifiers"):
        lines += _steps(kind, getattr(draft, kind))
    return "\n".join(lines) + "\n"


def _steps(kind: str, parts: list[Part]) -> Iterator[str]:
    if not parts:
        return
    yield f"    # {_KINDS[kind]}"
    yield f"    {kind}:" if any(not part.off for part in parts) else f"    # {kind}:"
    for part in parts:
        yield from (f"      # {line}" for line in part.note.splitlines())
        yield from (f"      {'# ' if part.off else ''}{line}" for line in _step(part))


def _step(part: Part) -> Iterator[str]:
    settings = dict(part.settings)
    mode = settings.pop("mode", None)
    yield f"- uses: {part.uses}"
    if settings:
        yield f"  with: {_flow(settings)}"
    if mode:
        yield f"  mode: {mode}"


def _repository(draft: Draft) -> Iterator[str]:
    yield '    # The code behind the logs. \'paths\' says where it is deployed: {"/app/": "src/"}.'
    yield "    repository:"
    yield from (f"      {name}: {_value(value)}" for name, value in draft.repository.items())
    yield from (f"      # {name}: {_value(value)}" for name, value in draft.repository_off.items())


def _flow(settings: Mapping[str, Any]) -> str:  # Any: YAML values
    return "{" + ", ".join(f"{name}: {_value(value)}" for name, value in settings.items()) + "}"


def _value(value: Any) -> str:  # Any: a YAML value
    """Write a value as YAML reads it: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _name(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name[0].isalpha() else _value(name)
