"""The fix in every dress a model may give it."""

from __future__ import annotations

from collections.abc import Iterator

from repair_matrix.answers.writing import OPENED, Made, as_json, block, explained, fixed, indent, said, tested
from repair_matrix.services import Found


def good(found: Found) -> Iterator[Made]:
    """Yield the fix in every dress a model may give it."""
    bug, words, test = found.bug, explained(found), tested(found)
    right = {
        **OPENED,
        "files": sorted([bug.path, found.new_test]),
        "held_out": found.named(found.about.held_out.command),
    }
    yield "G1", said(words + fixed(found) + test), right
    whole = found.source.replace(bug.search, bug.fix)
    yield "G2whole-file", said(words + block(bug.path, found.source, whole) + test), right
    if not found.is_first:
        return
    yield "G3run-directory", said(words + fixed(found, f"workspaces/7/repo/{bug.path}") + test), right
    yield "G3diff", said(words + fixed(found, f"a/{bug.path}") + test), right
    deployed = next(((old, new_) for old, new_ in found.about.repository.get("paths", {}).items()), ("", ""))
    if deployed[0].startswith("/") and bug.path.startswith(deployed[1]):
        path = deployed[0] + bug.path.removeprefix(deployed[1])
        yield "G3deployed", said(words + fixed(found, path) + test), right
    yield "G3absolute", said(words + fixed(found, f"/home/ann/work/{found.case}/{bug.path}") + test), right
    yield "G4outdented", said(words + block(bug.path, *_outdented(bug.search, bug.fix)) + test), right
    prose = f"Here is what I found.\n\n{words}\nFirst the fix:\n\n{fixed(found)}\nand a test:\n\n{test}\nGood luck!\n"
    yield "G5prose", said(prose), right
    yield "G6json", said(explained(found, edits=as_json(found))), right
    yield "G6fenced", said(f"```json\n{words}```\n{fixed(found)}{test}"), right
    readme = block("README.md", f"# {found.service}\n", f"# {found.service}\n\nMended.\n")
    named = explained(found, repair_steps=["Say so in README.md."])
    yield (
        "G7two-files",
        said(named + fixed(found) + readme + test),
        {**right, "files": sorted([*right["files"], "README.md"])},
    )
    wrong = block(bug.path, "no such line\n", bug.fix)
    yield "G8second-try", said(words + wrong + test, words + fixed(found) + test), right
    yield "G8mended-json", said("no JSON at all", words + fixed(found) + test), right
    looks = {"tools": [{"name": "read_file", "input": {"path": bug.path}}]}
    yield "G9looks-first", {"turns": [looks, {"text": words + fixed(found) + test}]}, right
    yield "G9streamed", said(words + fixed(found) + test, settings={"stream": False}), right


def _outdented(search: str, fix: str) -> tuple[str, str]:
    """Return both texts with the indentation they share taken off."""
    width = min(len(indent(line)) for line in (search + fix).splitlines() if line.strip())
    return tuple(
        "".join(line[width:] if line.strip() else line for line in text.splitlines(True))
        for text in (search, fix)
    )  # type: ignore[return-value]
