"""Answers that are cut, broken or no answers."""

from __future__ import annotations

from collections.abc import Iterator

from repair_matrix.answers.writing import (
    Made,
    as_json,
    block,
    explained,
    fixed,
    folder,
    indent,
    new,
    said,
    tested,
)
from repair_matrix.services import Found


def malformed(found: Found) -> Iterator[Made]:
    """Yield answers that are cut, broken or no answers."""
    bug, words, test = found.bug, explained(found), tested(found)
    whole = words + fixed(found) + test
    none = {"expect": "blocked:unanswered"}
    for third in (1, 2, 3):
        cut = whole[: len(whole) * third // 3]
        turn = {"text": cut, "stop_reason": "max_tokens"}
        yield f"M1cut-{third}", {"turns": [turn]}, {**none, "says": "did not fit"}
    yield "M2json", said(words.replace("}", "") + fixed(found)), {**none, "says": "JSON"}
    yield "M3missing", said('{"title": "it fails"}\n' + fixed(found)), {**none, "says": "summary"}
    twice = next(
        (line for line in found.source.splitlines(True) if found.source.count(line) > 1 and line.strip()), ""
    )
    if twice:
        yield (
            "M4ambiguous",
            said(words + fixed(found) + block(bug.path, twice, f"{twice}\n") + test),
            {"expect": "blocked:search", "says": "occurs"},
        )
    yield (
        "M5nowhere",
        said(words + block(bug.path, "no such line\n", bug.fix)),
        {"expect": "blocked:search", "says": "not in the file"},
    )
    yield (
        "M5no-file",
        said(words + block("no/such/file.xyz", bug.search, bug.fix)),
        {"expect": "blocked:path"},
    )
    yield (
        "M6unclosed",
        said(words + fixed(found).replace("</code_block>\n", "")),
        {**none, "says": "no </code_block>"},
    )
    yield "M6no-divider", said(words + fixed(found).replace("=======\n", "")), {**none, "says": "'='"}
    yield "M7two-answers", said(words + words + fixed(found) + test), {**none, "says": "2 JSON objects"}
    yield (
        "M7twice",
        said(explained(found, edits=as_json(found)) + fixed(found)),
        {**none, "says": "alternatives"},
    )
    yield "M8empty", said(""), none
    yield (
        "M9endless",
        {"turns": [{"text": words + "x" * 64, "repeat": 1 + 5_000_000 // (len(words) + 64)}]},
        {**none, "says": "too many"},
    )
    yield (
        "M10binary",
        said(words + fixed(found) + new(f"{folder(found)}/data.txt", "a\x00b\n")),
        {"expect": "blocked:not-text", "says": "binary"},
    )
    yield "M11refusal", {"turns": [{"text": "", "stop_reason": "refusal"}]}, {**none, "says": "refused"}
    yield (
        "M12language",
        said(words + block(bug.path, bug.search, f"{indent(bug.search)}IF X = NULL THEN EXIT FI\n") + test),
        {"expect": "blocked:tests"},
    )
    yield "M13html", said("<html><body>Please log in</body></html>"), none
    yield "M13not-object", said("[1, 2, 3]"), none
    yield "M14unknown-key", said(explained(found, shell="ls") + fixed(found)), {**none, "says": "shell"}
