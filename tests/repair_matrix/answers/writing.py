"""How answers are written down: what the model says, in the words of ``answers/ID.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from repair_matrix.services import Found

Made = tuple[str, Mapping[str, Any], Mapping[str, Any]]
OPENED: Mapping[str, Any] = {"expect": "opened"}
TOKEN = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
_EXPLAIN = {
    "title": "It fails for input that was not thought of",
    "summary": "The request of a user ended with an error.",
    "confidence": 0.9,
}


def explained(found: Found, **changes: Any) -> str:
    """Return the explanation, as the model gives it."""
    return json.dumps({**_EXPLAIN, "root_cause": found.bug.cause, **changes}, ensure_ascii=False) + "\n"


def block(path: str, search: str, replace: str) -> str:
    """Return an edit of an existing file."""
    return f'<code_block filename="{path}">\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n</code_block>\n'


def new(path: str, text: str) -> str:
    """Return a new file."""
    return f'<code_block filename="{path}" action="create">\n{text}</code_block>\n'


def fixed(found: Found, path: str = "") -> str:
    """Return the fix, under this path."""
    return block(path or found.bug.path, found.bug.search, found.bug.fix)


def tested(found: Found) -> str:
    """Return the new test."""
    return new(found.new_test, found.bug.test)


def said(*texts: str, **more: Any) -> Mapping[str, Any]:
    """Return an answer of these turns."""
    return {"turns": [{"text": text} for text in texts], **more}


def indent(text: str) -> str:
    """Return the blanks a text begins with."""
    first = text.split("\n", 1)[0]
    return first[: len(first) - len(first.lstrip())]


def comment(found: Found) -> str:
    """Return what begins a comment."""
    return "#" if found.about.language == "python" else "//"


def folder(found: Found) -> str:
    """Return the folder of the wrong file."""
    return found.bug.path.rpartition("/")[0]


def old_test(found: Found) -> str:
    """Return the path of a test that is there."""
    suffix = found.new_test.rpartition(".")[2]
    tests = sorted((found.root / "repo" / found.new_test.split("/")[0]).glob(f"*.{suffix}"))
    path = next(test for test in tests if test.name not in ("__init__.py", "Tests.java"))
    return str(path.relative_to(found.root / "repo"))


def as_json(found: Found) -> list[Mapping[str, str]]:
    """Return the fix and the new test as JSON writes edits."""
    return [
        {"kind": "replace", "path": found.bug.path, "search": found.bug.search, "replace": found.bug.fix},
        {"kind": "create", "path": found.new_test, "replace": found.bug.test},
    ]


def with_top(found: Found, text: str) -> str:
    """Return the fix of the whole file with more code before the rest."""
    source = found.source.replace(found.bug.search, found.bug.fix)
    if found.about.language == "java":
        head, brace, rest = source.partition("{\n")
        new_ = f"{head}{brace}    {text}{rest}"
    elif found.bug.path.endswith(".mjs"):
        new_ = _as_module(text) + source
    elif source.startswith("# -*-"):
        first, _, rest = source.partition("\n")
        new_ = f"{first}\n{text}{rest}"
    else:
        new_ = text + source
    return block(found.bug.path, found.source, new_)


def _as_module(text: str) -> str:
    if "require(" not in text:
        return text
    return (
        "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n"
        + text
    )
