"""What a round of review rests on: what was asked, the code it is about, and what the request changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aiops_core.analysis.source import enclosing, numbered
from aiops_core.records import Analysis, Evidence, Remark, Review
from aiops_core.repository import Mirror
from aiops_core.repository.private import is_private
from aiops_core.text.encoding import decode_source
from aiops_core.text.sanitising import clean

_MAX_REMARKS = 30
_MAX_FILES = 20
_LONGEST_DIFF = 6_000
_LARGEST_FILE = 1 << 20
_FILE = re.compile(r"^diff --git .*$", re.MULTILINE)
_NAME = re.compile(r"^(?:\+\+\+ b|--- a)/(.+?)\t?$", re.MULTILINE)


def review_evidence(
    review: Review, mirror: Mirror, commit: str, base: str, earlier: Analysis | None = None
) -> list[Evidence]:
    """Return what reviewers ask for, with the code of ``commit`` it is about; ids are for the caller.

    ``base`` is the commit the request goes to, ``earlier`` the analysis that it was made from.
    """
    found = [*map(_asked, review.remarks[-_MAX_REMARKS:]), *_places(review.remarks, mirror, commit)]
    if earlier is not None and earlier.root_cause:
        found.append(Evidence("note", "the root cause the request was made for", earlier.root_cause[:4_000]))
    return [*found, *_changes(mirror.diff(commit, base))]


def _asked(remark: Remark) -> Evidence:
    where = f" about {remark.path}:{remark.line}" if remark.path else ""
    return Evidence(
        "review", clean(f"{remark.author} asks{where}")[:300], remark.text, path=remark.path, line=remark.line
    )


def _places(remarks: Sequence[Remark], mirror: Mirror, commit: str) -> Iterator[Evidence]:
    """Yield the functions that comments stand beside, each once."""
    shown = set[tuple[str, int]]()
    for remark in remarks:
        content = None if not remark.path or is_private(remark.path) else mirror.read(commit, remark.path)
        if content is None or len(content) > _LARGEST_FILE:
            continue
        lines = decode_source(content).text.replace("\r\n", "\n").split("\n")
        excerpt = enclosing(remark.path, lines, remark.line)
        if (remark.path, excerpt.start) not in shown:
            shown.add((remark.path, excerpt.start))
            title = (
                f"{remark.path} as the request has it, lines {excerpt.start}-{excerpt.end} of {len(lines)}"
            )
            text = numbered(lines, excerpt, [remark.line])
            yield Evidence("source", title, text, path=remark.path, line=remark.line)


def _changes(diff: str) -> Iterator[Evidence]:
    """Yield what the request changes, file by file."""
    starts = [match.start() for match in _FILE.finditer(diff)][:_MAX_FILES]
    for start, end in zip(starts, [*starts[1:], len(diff)], strict=True):
        part = diff[start:end]
        name = _NAME.findall(part)
        if name and not is_private(name[-1]):
            text = part if len(part) <= _LONGEST_DIFF else f"{part[:_LONGEST_DIFF]}\n… cut"
            yield Evidence("source", f"what the request changes in {name[-1]}", text, path=name[-1])
