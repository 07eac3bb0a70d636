"""Whatever bytes come as an answer, nothing but permitted files of the work clone is ever written (R2)."""

import json
import os
import random
from pathlib import Path

import pytest

from aiops_core.analysis import AnswerInvalid, parse_answer
from aiops_core.errors import Refused
from aiops_core.repair import propose
from aiops_core.repair.protected import check_protected
from aiops_core.repair.workspace import make_work_clone, write_files
from aiops_core.repository import open_mirror
from aiops_core.settings import Policy, Repository

SEARCH = "    return sum(item['price'] for item in items)"
REPLACE = SEARCH.replace("item['price']", "item.get('price', 0)")
SAID = {"title": "t", "summary": "s", "root_cause": "r", "confidence": 0.9}
BLOCK = """\
<code_block filename="{path}">
<<<<<<< SEARCH
{search}
=======
{replace}
>>>>>>> REPLACE
</code_block>
"""
NEW = '<code_block filename="{path}">\nprint(1)\n</code_block>\n'
JUNK = [
    *"\\/.~\0\n\r\"'{}[]<>=`$é\u202e\ufeff",
    "../",
    "/",
    "C:\\",
    ".git/",
    "%2e%2e/",
    "</code_block>",
    "null",
]


def paths(outside):
    """Return places an answer may name, most of them where nothing may be written."""
    ours = ["shop/app.py", "./shop/app.py", "a/shop/app.py", "workspaces/7/repo/shop/app.py", "shop/new.py"]
    theirs = [f"{outside}/made", f"../{outside.name}/made", "link/made", ".git/hooks/pre-commit", "~/.bashrc"]
    return [
        *ours,
        *theirs,
        "shop/../../made",
        "tests/test_app.py",
        ".github/workflows/x.yml",
        "sitecustomize.py",
    ]


def whole(chance, outside):
    """Return an answer as models give them, with edits in one of the two forms."""
    path = chance.choice(paths(outside))
    if chance.random() < 0.5:
        block = chance.choice([BLOCK, NEW]).format(path=path, search=SEARCH, replace=REPLACE)
        return f"{json.dumps(SAID)}\n{block}"
    edit = {"path": path, "search": SEARCH, "replace": REPLACE, "to": chance.choice(paths(outside))}
    kind = chance.choice(["replace", "create", "delete", "rename"])
    return json.dumps({**SAID, "edits": [{**edit, "kind": kind}]}, ensure_ascii=False)


def mutated(chance, text):
    """Return the text with up to three of its places changed."""
    for _ in range(chance.randrange(4)):
        start, length = chance.randrange(len(text) + 1), chance.choice([0, 1, 1, 3, 40])
        kept = [chance.choice(JUNK), text[start : start + length] * 2, "", text[: chance.randrange(30)]]
        text = text[:start] + chance.choice(kept) + text[start + length :]
    return text


def everything_but(clone, root):
    """Return what stands below the root, the clone left out."""
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if Path(folder, name) != clone]
        for path in (Path(folder, name) for name in (*folders, *files)):
            is_file = path.is_file() and not path.is_symlink()
            found[str(path)] = (oct(path.lstat().st_mode), path.read_bytes() if is_file else b"")
    return found


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.full)])
def test_r2_mutated_answers_write_nothing_but_permitted_files_of_the_clone(shop, tmp_path, count):
    chance, outside, clone = random.Random(7), tmp_path / "outside", tmp_path / "clone"
    outside.mkdir()
    config = Repository(url=str(shop.remote))
    mirror = open_mirror(config, tmp_path / "state")
    places = {"mirror": mirror, "repository": config, "policy": Policy(), "scratch": tmp_path / "scratch"}
    make_work_clone(mirror, mirror.head(), clone)
    (clone / "link").symlink_to(outside)
    before, written = everything_but(clone, tmp_path), set()

    for _ in range(count):
        try:
            answer = parse_answer(mutated(chance, whole(chance, outside)))
            change = propose(answer.edits, **places)
            write_files(clone, change.files)
        except (AnswerInvalid, Refused):
            continue
        written |= {file.path for file in change.files}

    assert "shop/app.py" in written and len(written) > 2
    for path in written:
        check_protected(path)
        assert (clone / path).parent.resolve().is_relative_to(clone)
    assert everything_but(clone, tmp_path) == before
