"""Where the report of a crash begins and ends."""

from __future__ import annotations

import re

from aiops_core import begins_to_die, lazy_pattern
from aiops_detector_cpp._frames import LONGEST, read_call
from aiops_detector_cpp._kinds import Head, read_head
from aiops_detector_cpp._reader import Get

ABOVE = 16
"""Lines looked back through for what came before the line that was hit."""
NOISE = 4
"""Lines of other writers that may stand within a report."""
GAP = 14
"""Lines that may stand between an assertion or an exception and the signal it ends in."""
DEBUGGER = 64
"""Lines that a debugger may print between an exception and its stack."""
_FENCE = lazy_pattern(r"={10,}\s*$|#\s*$|#{20,}\s*$|-{10,}\s*$")
_BEFORE = lazy_pattern(
    r"Sanitizer:DEADLYSIGNAL|ASAN:(?:SIG|DEADLY)|AddressSanitizer:DEADLY|pure virtual method called|## V8 sandbox|===BUG DETECTED"
)
_PURE = "pure virtual method called"
_DONE = lazy_pattern(r"==\d+== ?ABORTING|\[end of stack trace\]|#\d+ +0x[0-9a-f]+ in _start\b")
_DETAIL = lazy_pattern(
    r"==\d+==\s*\S|==\d+==$|={10,}\s*$|SUMMARY: |SCARINESS: |(?:READ|WRITE|ACCESS|CALL) of size|0x[0-9a-fA-F]+ is located|(?:freed|previously allocated|allocated|created) by|previously allocated here|freed here"
    r"|Thread T?\d+|T\d+ |Shadow (?:bytes|byte legend)|=>0x|Address 0x|Memory tags|Tags for short|HINT: |Hint: |NOTE: |\w+Sanitizer|Uninitialized value|Memory was|(?:Direct|Indirect) leak|Objects leaked|0x[0-9a-f]+ \(\d+ bytes\)|\[0x[0-9a-f]+,0x|0x[0-9a-f]+: note"
    r"|MS: \d|artifact_prefix|Base64: |Test unit written|0x[0-9a-f]{1,2},|stat::|Register(?:s| values)|[re]?[a-z0-9]{2,3} *= 0x|MiraclePtr|DEDUP_TOKEN|Command:|This frame|Suspected|The signal|Crash keys|Task trace|IPC message|Received signal|\[end of"
    r"|\s+what\(\):|#|====|Security context|======= |[0-9a-f]{8,16}-[0-9a-f]{8,16} [r-][w-]|Build fingerprint|Revision|ABI|Timestamp|Process uptime|Cmdline|ZygotePid|pid: |uid: |signal |Abort message|Cause: |backtrace:|stack:|memory near|--------- |code around|tagged_addr|Exception|Crash |Thread \d+|Stack dump|\d+\.\t|PLEASE|Program |\[Switching|\[Thread|\(gdb\)|PC: |Symbolize|E\d{4} .*(?:Raising signal|process_state)|W\d{4} .*failure|\*\*\* "
    r"|FAULTING|STACK_TEXT|ERROR_CODE|EXCEPTION|DEFAULT_BUCKET|[A-Z_]{6,}:|First chance|This exception|\w+![\w:]+|[re]?[a-z0-9]{2,3}=[0-9a-f]{8,16}|Failure message|ptr\d|\[\d+\]: |Stacktrace"
    r"|Address: |Stack trace: |Integrity check |Report this error |Changed settings|No settings were "
)


def find_head(get: Get, hit: int) -> int | None:
    """Return the first line of the crash that this hit tells of, None for a false alarm."""
    head = _read(get, hit)
    if head is None:
        return None
    if not head.is_effect:
        return hit if head.stands_alone or _has_proof(get, hit) else None
    for index in range(hit - 1, hit - ABOVE, -1):
        if _read(get, index) is not None and (above := find_head(get, index)) is not None:
            return above if end_of_crash(get, above) > hit else hit
    return hit if head.stands_alone or _has_proof(get, hit) else None


def first_line(get: Get, head: int) -> int:
    """Return the first line of the block: a fence, or what the sanitizer says before its report."""
    start = head
    for index in range(head - 1, head - 4, -1):
        line = (get(index) or "").strip()
        if _FENCE.match(line) or _BEFORE.search(line[:LONGEST]):
            start = index
        elif line:
            break
    return start


def end_of_crash(get: Get, head: int) -> int:
    """Return the line after the last one that belongs to the crash."""
    first = _read(get, head) or Head("", "")
    end = index = head + 1
    seen, has_stack = {first.type}, False
    patience = DEBUGGER if " - code " in (get(head) or "") else GAP
    while (line := get(index)) is not None and index - end <= patience:
        text = line[:LONGEST]
        found = read_head(text)
        if found is None and begins_to_die(text, "cpp"):
            break
        if found is not None:
            is_effect = found.is_effect or (first.type == _PURE and found.type == "terminate called")
            if not is_effect or (found.type in seen and not text.startswith("signal ")):
                break
            seen.add(found.type)
            end, patience = index + 1, NOISE if has_stack else GAP
        elif _FENCE.match(text) and _opens_another(get, index + 1, seen):
            break
        elif _is_detail(text, index - end, has_stack=has_stack):
            end = index + 1
        if read_call(text) is not None:
            has_stack, end, patience = (
                True,
                index + 1,
                GAP if len(seen) == 1 and not first.is_effect else NOISE,
            )
        if re.match(r"==\d+== ?ABORTING", text):
            break
        index += 1
    return end


def _opens_another(get: Get, index: int, seen: set[str]) -> bool:
    """Say whether a fence is that of the next crash, not the last line of this one."""
    head = _read(get, index)
    return head is not None and (not head.is_effect or head.type in seen)


def _is_detail(text: str, distance: int, *, has_stack: bool) -> bool:
    if not text.strip():
        return False
    if _DETAIL.match(text):
        return distance <= NOISE
    return text[0] in " \t" and distance <= 1


def _read(get: Get, index: int) -> Head | None:
    line = get(index)
    return read_head(line[:LONGEST]) if line else None


_PROOF = lazy_pattern(r"\*\*\* Check failure|#\s*$|==== |\S+\(\d+\) : ")


def _has_proof(get: Get, hit: int) -> bool:
    """Say whether a stack stands under a line that alone proves nothing."""
    for index in range(hit + 1, hit + 5):
        line = get(index)
        if line is None:
            return False
        if read_call(line) is not None or _PROOF.match(line):
            return True
        head = read_head(line[:LONGEST])
        if head is not None and head.is_effect:
            return True
    return False
