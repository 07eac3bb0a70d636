"""People's own words: Jinja2 templates that take the place of subject, text or page."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_core import (
    Report,
    UserError,
    clean,
    outline_report,
    render_html,
    render_subject,
    render_text,
    report_data,
)

if TYPE_CHECKING:
    from jinja2 import Environment, Template

SUBJECT, TEXT, HTML = NAMES = ("subject.txt.j2", "body.txt.j2", "body.html.j2")
_LONGEST_SUBJECT = 200
_LIMIT = 64 * 1024
_LONGEST = 1024 * 1024
"""Characters a template may write."""
_MISTAKES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a template raises that does with a value what that cannot."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a mail says."""

    subject: str
    text: str
    html: str


class Templates:
    """Write a mail's words; a template that fails gives way to the built-in words, never to silence."""

    def __init__(self, directory: Path | None, logger: logging.Logger) -> None:
        self._logger = logger
        self._own = _read(directory) if directory is not None else {}

    def write(self, report: Report) -> Words:
        """Return the words, each from its template where there is one."""
        subject = self._render(SUBJECT, report, render_subject(report))
        return Words(
            " ".join(clean(subject, keep_newlines=False).split())[:_LONGEST_SUBJECT],
            clean(self._render(TEXT, report, render_text(report))),
            self._render(HTML, report, render_html(report)),
        )

    def _render(self, name: str, report: Report, built_in: str) -> str:
        from jinja2 import TemplateError

        if name not in self._own:
            return built_in
        values = {
            "report": report_data(report, limit=_LIMIT),
            "outline": outline_report(report),
            "built_in": built_in,
        }
        try:
            return _written(self._own[name].get_template(name), values)
        except (TemplateError, OSError, MemoryError, RuntimeError, *_MISTAKES) as error:
            self._logger.warning("templates: %s: %s. The built-in words are used.", name, _first_line(error))
            return built_in


def _read(directory: Path) -> Mapping[str, Environment]:
    """Return where each of people's templates is carried out; raise UserError for one that cannot be read."""
    from jinja2 import TemplateSyntaxError

    environment = _environment(directory)
    own = {name: environment for name in NAMES if (directory / name).is_file()}
    if not own:
        raise UserError(f"templates: {directory}: no template in it. Write one of {', '.join(NAMES)}.")
    for name in own:
        try:
            environment.get_template(name)
        except TemplateSyntaxError as error:
            place = f"{directory / (error.name or name)}:{error.lineno}"
            raise UserError(
                f"templates: {place}: {str(error.message).rstrip('.')}. Mend the template."
            ) from None
        except (OSError, UnicodeError) as error:
            raise UserError(f"templates: {directory / name}: {error}. Write it in UTF-8.") from None
    return own


def _environment(directory: Path) -> Environment:
    """Return where templates are carried out: they reach what they are given, and change none of it."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(directory),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
    )


def _written(template: Template, values: Mapping[str, object]) -> str:
    """Return what a template writes; raise ValueError for one that writes without end."""
    parts, length = [], 0
    for part in template.generate(values):
        parts.append(part)
        length += len(part)
        if length > _LONGEST:
            raise ValueError(f"writes more than {_LONGEST} characters")
    return "".join(parts)


def _first_line(error: Exception) -> str:
    return clean(str(error) or type(error).__name__, keep_newlines=False)[:200]
