"""The detector of exceptions and crash reports of Elixir and Erlang."""

from __future__ import annotations

from pydantic import Field

from aiops_core import AskedLines, Block, Config, Event, Lines, LogDetector, More, Span, lazy_pattern
from aiops_detector_elixir import _failed_test
from aiops_detector_elixir._extent import end_of_problem, find_head
from aiops_detector_elixir._libraries import is_library
from aiops_detector_elixir._lines import LONGEST, is_head
from aiops_detector_elixir._parse import read_problem

_PROCESS = lazy_pattern(r"#PID<(?P<elixir>[\d.]+)>|pid: <(?P<crasher>[\d.]+)>|process <(?P<erlang>[\d.]+)>")


class ElixirConfig(Config):
    """Settings of the elixir detector."""

    in_app: list[str] = Field(default=[])
    """Applications, or beginnings of file names or modules, that are your own code; they win over every
    other rule."""
    not_in_app: list[str] = Field(default=[])
    """Applications, or beginnings of file names or modules, that are not your own code, besides OTP, Elixir
    and widely used packages."""


class ElixirErrors(LogDetector[ElixirConfig]):
    """Exceptions, exits and crashed processes of Elixir, crash and error reports of Erlang, failed tests of ExUnit."""

    triggers = (
        r"^\*\* \((?:[A-Z]|exit|throw|stop)",
        r"== Compilation error in file ",
        r"^=(?:CRASH|ERROR|SUPERVISOR) REPORT====",
        r"(?:CRASH|SUPERVISOR) REPORT:$",
        r"^ {4}exception (?:error|exit|throw): ",
        r"exception (?:error|exit|throw): ",
        r"\*\* (?:Generic|State machine|gen_event) .*(?:terminating|crashed)",
        r"Error in process <",
        r"Kernel pid terminated \(",
        r"init terminating in ",
        r"crasher: initial call: ",
        _failed_test.TRIGGER,
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the problem from the line that announces it to what is told of the process."""
        known = AskedLines(lines)
        if _failed_test.TITLE.match(known.get(hit) or ""):
            extent = _failed_test.extent_of_test(known.get, hit)
            return More(hit) if known.ran_out and not lines.final else Span(*extent, is_record=True)
        head = find_head(known.get, hit)
        if head is None:
            return None
        end = end_of_problem(known.get, head, hit)
        if known.ran_out and not lines.final:
            return More(head)
        return Span(head, end, is_record=head < hit) if hit < end else None

    def detect(self, block: Block) -> Event:
        """Read the exception that surfaced and those that explain it."""
        exceptions = _failed_test.read_test(block.lines, self._is_ours)
        exceptions = exceptions or read_problem(block.lines, self._is_ours)
        if block.prefix and not exceptions[0].frames and not is_head(block.lines[0]):
            whole = [block.prefix + block.lines[0], *block.lines[1:]]
            exceptions = read_problem(whole, self._is_ours)
        surfaced = exceptions[0]
        pid = next((found for line in block.lines[:40] if (found := _PROCESS.search(line[:LONGEST]))), None)
        return Event(
            type=surfaced.type,
            message=surfaced.message,
            language="elixir",
            exceptions=exceptions,
            attributes={"process": next(filter(None, pid.groups()))} if pid is not None else {},
        )

    def _is_ours(self, app: str, file: str, function: str) -> bool:
        ours, theirs = tuple(self.config.in_app), tuple(self.config.not_in_app)
        if app in ours or file.startswith(ours) or function.startswith(ours):
            return True
        is_theirs = app in theirs or file.startswith(theirs) or function.startswith(theirs)
        return not is_theirs and not is_library(app, file, function)
