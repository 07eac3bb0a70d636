"""The detector of reports of operating system kernels."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from aiops_core import AskedLines, Block, Config, Event, Lines, LogDetector, More, RaisedException, Span
from aiops_detector_kernel._blame import Owners
from aiops_detector_kernel._console import after_prompt, words_of
from aiops_detector_kernel._extent import end_of_report, find_head, first_line
from aiops_detector_kernel._parse import read_report


class KernelConfig(Config):
    """Settings of the kernel detector."""

    in_app: list[str] = Field(default=[])
    """Beginnings of names of functions, or names of modules, that are your own code: the innermost of them is to
    blame, before every other rule."""
    not_in_app: list[str] = Field(default=[])
    """Beginnings of names of functions that are never to blame, besides those that report, allocate, lock,
    copy or wait."""


class KernelErrors(LogDetector[KernelConfig]):
    """Oopses, panics, warnings, hangs, lock and memory reports, and kills of kernels."""

    triggers = (
        r"\bBUG: [A-Za-z]",
        r"kernel BUG at ",
        r"WARNING: .*\bat \S",
        r"(?:WARNING|INFO): (?:possible|suspicious|inconsistent|bad|held|lock|Nested|.{1,40} lock order|.{1,40} still has locks)",
        r"INFO: (?:task .* blocked|rcu_|trying to register)",
        r":\d+ blocked (?:in I/O wait )?for more than \d+ s",
        r"UBSAN: ",
        r"Oops: ",
        r"[^\s:\[\]]+\[\d+\]:? (?:segfault at|general protection|trap |unhandled signal)",
        r"general protection fault",
        r"[Uu]nable to handle kernel",
        r"Internal error: ",
        r"Unhandled fault: ",
        r"Kernel panic - ",
        r"(?:divide[ _]error|invalid opcode|stack segment|double fault|int3|bounds|alignment check|control protection|SIMD exception): [0-9a-f]{4} \[#",
        r"[Kk]ernel stack overflow",
        r"list_(?:add|del) (?:corruption|double)",
        r"unreferenced object 0x",
        r"Watchdog detected hard LOCKUP",
        r"Call [Tt]race:",
        r"\S+ invoked oom-killer: ",
        r"(?:Memory cgroup out|Out) of memory.*: [Kk]ill",
        r"[\w/:.-]+: page allocation failure",
        r"VFS: Close: file count is ",
        r"Fatal trap \d",
        r"fatal [a-z ]{3,40} in supervisor mode",
        r"kernel: [a-z ]{3,40} trap, code",
        r"^panic: \S",
        r"panic ?\((?:cpu|caller) ",
        r"panic notifier - trusty",
        r"ZIRCON KERNEL",
        r"KVM internal error",
        r"recursion in interrupt handler",
        r"\[Hardware Error\]: CPU \d+: Machine Check",
    )

    def cut(self, lines: Lines, hit: int) -> Span | More | None:
        """Claim the report from the cut, the fence or the first words to its last stack."""
        known = AskedLines(lines, _clean)
        head = find_head(known.get, hit)
        if head is None:
            return More(hit) if known.ran_out and not lines.final else None
        start = first_line(known.get, head)
        end = end_of_report(known.get, head)
        if known.ran_out and not lines.final:
            return More(start)
        return Span(start, end) if hit < end else None

    def detect(self, block: Block) -> Event:
        """Read what the report says and whom it blames."""
        lines = [_clean(line) for line in block.lines]
        report = read_report(lines, self._owners)
        raised = RaisedException(report.type, report.message, report.frames)
        return Event(
            type=report.type,
            message=report.message,
            severity=report.severity,
            language="kernel",
            exceptions=(raised,),
            attributes=report.attributes,
        )

    @cached_property
    def _owners(self) -> Owners:
        return Owners(tuple(self.config.in_app), tuple(self.config.not_in_app))


def _clean(line: str) -> str:
    words = words_of(line)
    return after_prompt(words) if "] " in words[:300] else words
