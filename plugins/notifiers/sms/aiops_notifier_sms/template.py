"""A request as people write it down, filled in: names in braces become what they stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from typing_extensions import TypeAliasType

from aiops_core import Report, as_json, defuse, outline_brief, render_subject, shorten

Template = TypeAliasType("Template", "str | list[Template] | dict[str, Template]")
NAMES = ("to", "text", "title", "severity", "pipeline", "id")
_NAME = re.compile(r"\{([a-z]+)\}")


def values_of(report: Report, to: str, limit: int) -> Mapping[str, str]:
    """Return what each name stands for; a text for people is no longer than the limit."""
    outline = outline_brief(report)
    count = [badge for badge in outline.badges if badge.startswith("×")]
    cause = report.analysis.root_cause if report.analysis else report.text
    long = " ".join(filter(None, (render_subject(report), *count, cause)))

    def cut(text: str) -> str:
        line = defuse(" ".join(text.split()))
        return shorten(line, lambda it: len(it.encode("utf-16-le", "replace")) // 2 <= limit)

    return {
        "to": to,
        "text": cut(long),
        "title": cut(outline.title),
        "severity": outline.badges[0],
        "pipeline": cut(report.pipeline),
        "id": str(report.incident.id) if report.incident else "",
    }


def unknown_names(template: Template) -> set[str]:
    """Return the names in braces that stand for nothing."""
    if isinstance(template, str):
        return set(_NAME.findall(template)) - set(NAMES)
    parts = template.values() if isinstance(template, dict) else template
    return {name for part in parts for name in unknown_names(part)}


def body_of(fields: dict[str, Template], values: Mapping[str, str], *, is_json: bool) -> bytes:
    """Return the body, as JSON or as a form; what a form has no shape for stands in it as JSON."""
    filled = {name: _filled(part, values) for name, part in fields.items()}
    if is_json:
        return as_json(filled)
    plain = {name: part if isinstance(part, str) else _json(part) for name, part in filled.items()}
    return urlencode(plain, errors="replace").encode("ascii")


def look_up(answer: object, path: str) -> str:
    """Return what stands at a path such as ``Response.SendStatusSet.0.Code``, "" where nothing does."""
    for step in path.split("."):
        if isinstance(answer, dict):
            answer = answer.get(step)
        elif isinstance(answer, list) and step.isdigit() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return ""
    return str(answer) if isinstance(answer, str | int) else ""


def _filled(template: Template, values: Mapping[str, str]) -> Template:
    if isinstance(template, str):
        return _NAME.sub(lambda match: values[match[1]], template)
    if isinstance(template, dict):
        return {name: _filled(part, values) for name, part in template.items()}
    return [_filled(part, values) for part in template]


_json: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
