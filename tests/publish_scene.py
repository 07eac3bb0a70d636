"""A small shop with a remote, a change of it, and its publishing."""

import subprocess

from aiops_core import replace
from aiops_core.records import Change, ChangedFile
from aiops_core.repair import publish
from aiops_core.repair.diff import unified_diff
from aiops_core.settings import Repository

FILES = {"src/app.py": b"one\ntwo\n", "run.sh": b"#!/bin/sh\n", "crlf.txt": b"a\r\n"}

BRANCH = "fix/key-error-3f2a9c01d4b7"

MESSAGE = "fix: free items\n\nBecause.\n\nIncident: v1:3f2a\n"


def made(shop, *files, base="", branch="main"):
    base = base or shop.git("rev-parse", "HEAD")
    files = files or (ChangedFile("src/app.py", b"one\n2\n"),)
    return Change(base, branch, files, unified_diff({}, files))


def better(shop, change):
    files = (ChangedFile("src/app.py", b"one\ntwo and a half\n"),)
    return replace(change, files=files, diff=unified_diff({}, files))


def push(shop, change, tmp_path, *, branch=BRANCH, message=MESSAGE, scratch="scratch", **settings):
    config = Repository(**{"url": str(shop.remote), **settings})
    place = tmp_path / scratch
    return publish(
        change, branch=branch, message=message, repository=config, mirrors=place / "mirrors", scratch=place
    )


def show(shop, commit, path):
    return subprocess.run(
        ["git", "cat-file", "blob", f"{commit}:{path}"], cwd=shop.remote, check=True, capture_output=True
    ).stdout
