"""The detector of JavaScript stack traces."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from aiops_core import (
    AskedLines,
    Block,
    Config,
    Event,
    Lines,
    LogDetector,
    More,
    Severity,
    Span,
    lazy_pattern,
)
from aiops_detector_javascript import _compiler, _tap
from aiops_detector_javascript._extent import AT_TRIGGER, GECKO_TRIGGERS, end_of_trace, find_place, first_line
from aiops_detector_javascript._heads import DEBUGGING_AID, FATAL
from aiops_detector_javascript._opera import TRIGGERS as OPERA_TRIGGERS
from aiops_detector_javascript._opera import extent_of, read_opera
from aiops_detector_javascript._parse import read_parts, to_exceptions

_THEIRS = lazy_pattern(
    r"(?:node|bun|ext|deno|native|chrome-extension|moz-extension|safari-extension|resource|chrome|evalmachine):"
    r"|internal/|/var/runtime/|<anonymous>|wasm:|webpack/|\(webpack\)|\[eval\]|eval code"
    r"|(?:_?[a-z]+_)*(?:module|bootstrap_node|timers|net|events|readable|writable|duplex|fs|vm|domain"
    r"|child_process|http|https|server|client|tls|wrap|stream|next_tick|repl)\.js$"
)
_REPORTS = ((_compiler.ERROR, _compiler.extent_of_error), (_tap.TEST, _tap.extent_of_test))
"""What is no stack: how it begins, and how far it goes."""
_LIBRARY_FOLDERS = ("node_modules/", "node_modules\\", "/~/", "~/", "bower_components/")


class JavascriptConfig(Config):
    """Settings of the javascript detector."""

    in_app: list[str] = Field(default=[])
    """Prefixes of file paths that are your own code; they win over every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Prefixes of file paths that are not your own code, besides node_modules and the runtime."""


class JavascriptErrors(LogDetector[JavascriptConfig]):
    """Errors of Node.js, browsers, Deno, Bun and React Native, failed tests of their runners."""

    triggers = (
        AT_TRIGGER,
        r"^(?:error: )?Uncaught ",
        r"^(?:\(\w+:\d+\) |\[)?UnhandledPromiseRejection",
        r"^FATAL ERROR: .*JavaScript heap out of memory",
        r"^AssertionError \[ERR_ASSERTION\]: ",
        r"^Node\.js v\d",
        r"^\(Use `node --trace-uncaught",
        *GECKO_TRIGGERS,
        *OPERA_TRIGGERS,
        r"^ {0,8}❯ (?:[^\s:]{1,200} )?[^\s:()]{1,300}:\d+:\d+$",
        _compiler.TRIGGER,
        _tap.TRIGGER,
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the error from the source printed above it to what the runtime says last."""
        known = AskedLines(lines)
        if read_opera(known.get(hit) or "") is not None:
            return self._cut_opera(known, hit, lines)
        report = next((extent for begins, extent in _REPORTS if begins.match(known.get(hit) or "")), None)
        if report is not None:
            extent = report(known.get, hit)
            if known.ran_out and not lines.final:
                return More(hit)
            return Span(*extent) if extent else None
        place = find_place(known.get, hit)
        if place is None:
            return More(hit) if known.ran_out and not lines.final else None
        end = end_of_trace(known.get, place)
        start = first_line(known.get, place.head)
        if known.ran_out and not lines.final:
            return More(start)
        return Span(start, end) if start <= hit < end else None

    def _cut_opera(self, known: AskedLines, hit: int, lines: Lines) -> Span | More | None:
        extent = extent_of(known.get, hit)
        if extent is not None and known.ran_out and not lines.final:
            return More(extent.head)
        return Span(extent.head, extent.end) if extent is not None else None

    def detect(self, block: Block) -> Event | None:
        """Read the error, its causes and the members of an aggregate."""
        if (failed := _compiler.read_error(block.lines)) is not None:
            return Event(
                type=failed.type, message=failed.message, language="javascript", exceptions=(failed,)
            )
        parts = read_parts(_tap.as_stack(block.lines), block.prefix, block.headline)
        head = parts[0].head
        if head.type == DEBUGGING_AID:
            return None
        return Event(
            type=head.type,
            message=head.message,
            severity=_severity(head.type),
            language="javascript",
            exceptions=to_exceptions(parts, self._is_ours),
            attributes={"code": head.code} if head.code else {},
        )

    @cached_property
    def _prefixes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(self.config.in_app), tuple(self.config.not_in_app)

    def _is_ours(self, path: str) -> bool:
        ours, theirs = self._prefixes
        if path.startswith(ours):
            return True
        if not path or path.startswith(theirs):
            return False
        return _THEIRS.match(path) is None and not any(folder in path for folder in _LIBRARY_FOLDERS)


def _severity(name: str) -> Severity:
    if name == FATAL:
        return "critical"
    return "warning" if name.endswith("Warning") else "error"
