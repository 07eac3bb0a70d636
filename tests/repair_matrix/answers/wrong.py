"""Fixes that are none."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from repair_matrix.answers.writing import (
    OPENED,
    Made,
    block,
    comment,
    explained,
    fixed,
    folder,
    indent,
    new,
    said,
    tested,
)
from repair_matrix.services import Found


def wrong(found: Found) -> Iterator[Made]:
    """Yield fixes that are none."""
    bug, words, test = found.bug, explained(found), tested(found)
    refused = {"expect": "blocked:tests"}
    yield "W2breaks", said(words + block(bug.path, bug.search, bug.breaks) + test), refused
    if bug.special:
        special = words + block(bug.path, bug.search, bug.special)
        held = {"held_out": found.named(found.about.held_out.command), "held_out_passes": False}
        yield "W3special", said(special), {"expect": "draft", **held}
        yield "W3special-tested", said(special + test), {**OPENED, **held}
    yield (
        "W4swallows",
        said(words + block(bug.path, bug.search, bug.swallow) + test),
        {"expect": "blocked:error-swallowed"},
    )
    yield "W5syntax", said(words + block(bug.path, bug.search, f"{bug.fix})(\n") + test), refused
    if not found.is_first:
        return
    yield "W0untested", said(words + fixed(found)), {"expect": "draft"}
    back = block(bug.path, bug.search, bug.fix) + block(bug.path, bug.fix, bug.search)
    yield "W1no-op", said(words + back), {"expect": "blocked:no-op"}
    noted = f"{indent(bug.search)}{comment(found)} This fails now and then.\n{bug.search}"
    yield "W6elsewhere", said(words + block(bug.path, bug.search, noted) + test), refused
    yield (
        "W7endless",
        said(words + block(bug.path, bug.search, _endless(found)) + test),
        {**refused, "says": "do not end"},
    )
    files = "".join(new(f"{folder(found)}/more{number}.txt", "more\n") for number in range(12))
    yield "W9many-files", said(words + fixed(found) + files), {"expect": "blocked:max-files"}
    lines = "".join(f"line {number}\n" for number in range(600))
    yield (
        "W9many-lines",
        said(words + fixed(found) + new(f"{folder(found)}/more.txt", lines)),
        {"expect": "blocked:max-lines"},
    )
    yield (
        "W10unsure",
        said(explained(found, confidence=0.2) + fixed(found) + test),
        {"expect": "blocked:confidence"},
    )
    yield "W11no-edit", said(words), {"expect": "blocked:no-edits"}
    readme = block("README.md", f"# {found.service}\n", f"# {found.service}\n\nMended.\n")
    strays = {"expect": "blocked:outside-trace", "says": "README.md"}
    yield "W13strays", said(words + fixed(found) + readme + test), strays
    yield (
        "W12deletes",
        said(
            words + fixed(found) + test + '<code_block filename="README.md" action="delete"></code_block>\n'
        ),
        {"expect": "blocked:delete"},
    )
    yield (
        "W12renames",
        said(
            words
            + fixed(found)
            + test
            + '<code_block filename="README.md" action="rename" to="READ.md"></code_block>\n'
        ),
        {"expect": "blocked:rename"},
    )


def _endless(found: Found) -> str:
    loop = {
        "python": 'while True:\n    __import__("time").sleep(0.1)\n',
        "javascript": "for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);\n",
        "java": "while (Math.random() < 2) { java.util.concurrent.locks.LockSupport.parkNanos(100_000_000); }\n",
    }[found.about.language]
    return textwrap.indent(loop, indent(found.bug.search)) + found.bug.fix
