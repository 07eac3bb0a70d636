"""One incident with its fix and a bare repository: what a test gives to a forge action."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from aiops_core.records import (
    Analysis,
    Change,
    ChangedFile,
    Event,
    Frame,
    Incident,
    Json,
    RaisedException,
    TestRun,
)

BRANCH = "fix/assertion-error-0123456789ab"
MARK = "<!-- aiops:fingerprint=v1:0123456789abcdef -->"
TITLE = "Fix AssertionError in total"
FIXED = b"def total(prices):\n    return sum(prices)\n"
DIFF = """\
diff --git a/shop/cart.py b/shop/cart.py
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -1,2 +1,2 @@
 def total(prices):
-    return sum(prices) + 1
+    return sum(prices)
"""
_BRANCHES = b"""\
blob
mark :1
data <<END
def total(prices):
    return sum(prices) + 1
END

commit refs/heads/main
mark :2
committer Ann <ann@acme.example> 1767225600 +0000
data <<END
first
END
M 100644 :1 shop/cart.py

commit refs/heads/fix/ready
committer Ann <ann@acme.example> 1767225601 +0000
data <<END
fix
END
from :2
M 100644 :1 shop/copy.py

reset refs/heads/same
from :2

commit refs/heads/lonely
committer Ann <ann@acme.example> 1767225602 +0000
data <<END
orphan
END
M 100644 :1 shop/cart.py

"""


def make_incident() -> Incident:
    """Return an incident seen twice."""
    seen = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    frame = Frame("shop/cart.py", 2, "total")
    event = Event(
        "AssertionError",
        "total is off by one",
        block="AssertionError: total is off by one",
        exceptions=(RaisedException("AssertionError", "total is off by one", (frame,)),),
    )
    return Incident(
        id=7,
        pipeline="shop",
        fingerprint="v1:0123456789abcdef",
        title="AssertionError: total is off by one",
        type="AssertionError",
        message="total is off by one",
        language="python",
        severity="error",
        state="new",
        count=2,
        first_seen=seen,
        last_seen=seen,
        events=(event,),
    )


def make_analysis() -> Analysis:
    """Return what an analyzer said about it."""
    return Analysis("total adds one", "The sum is one too high.", "A stray + 1.", confidence=0.9)


def make_change(base_commit: str, content: bytes = FIXED) -> Change:
    """Return the verified fix."""
    run = TestRun("pytest -q", 1, 0.5, tests=1, failed=("test_total",))
    return Change(
        base_commit=base_commit,
        base_branch="main",
        files=(ChangedFile("shop/cart.py", content),),
        diff=DIFF if content == FIXED else DIFF.replace("+    return sum(prices)", "+" + content.decode()),
        before=run,
        after=replace(run, exit_code=0, failed=()),
        reproduced_by=run.failed,
    )


class BareRepository:
    """The remote: ``main``, ``fix/ready`` one commit ahead, ``same`` as main, ``lonely`` unrelated."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def make(cls, path: Path) -> BareRepository:
        """Make it anew."""
        subprocess.run(["git", "init", "-q", "--bare", "--template=", "-b", "main", str(path)], check=True)
        bare = cls(path)
        bare.git("config", "http.receivepack", "true")
        subprocess.run(["git", "-C", str(path), "fast-import", "--quiet"], input=_BRANCHES, check=True)
        return bare

    def copy(self, path: Path) -> BareRepository:
        """Copy it as it stands."""
        shutil.copytree(self.path, path)
        return BareRepository(path)

    def git(self, *arguments: str, given: str = "") -> str:
        """Run git in it and return what it says."""
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, branch: str) -> str:
        """Return the commit a branch is at, "" without such a branch."""
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def add_commit(self, branch: str, path: str, content: str, message: str = "by hand\n") -> str:
        """Commit a file on top of a branch, as Bob."""
        data = (
            f"commit refs/heads/{branch}\ncommitter Bob <bob@acme.example> 1767225700 +0000\n"
            f"data {len(message.encode())}\n{message}\nfrom refs/heads/{branch}^0\n"
            f"M 100644 inline {path}\ndata {len(content.encode())}\n{content}\n"
        )
        self.git("fast-import", "--quiet", given=data)
        return self.commit(branch)

    @property
    def fix_branches(self) -> list[str]:
        """The branches of fixes, but for the one that is there from the beginning."""
        names = self.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/fix").split()
        return [name for name in names if name != "fix/ready"]

    def refuse_pushes(self, *lines: str) -> None:
        """Decline every push from a hook that says these lines."""
        hook = self.path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        said = "".join(f"printf '%s\\n' {json.dumps(line)} >&2\n" for line in lines)
        hook.write_text(f"#!/bin/sh\n{said}exit 1\n")
        hook.chmod(0o755)


@dataclass
class KeptEffect:
    """One effect as the file remembers it."""

    result: Json = None
    is_uncertain: bool = False


class FileEffects:
    """Record effects in a file, as the store does in a table; ``at`` hears of every point between."""

    def __init__(self, path: Path, at: Callable[[str], None] = lambda point: None) -> None:
        self.path = path
        self.at = at

    @contextmanager
    def __call__(self, name: str, key: str) -> Iterator[KeptEffect]:
        """Record one effect."""
        kept = self._read()
        entry = f"{name} {key}"
        effect = KeptEffect(kept.get(entry), entry in kept and kept[entry] is None)
        self._write({**kept, entry: effect.result})
        self.at(f"{name} begun")
        yield effect
        self.at(f"{name} done")
        if effect.result is not None:
            self._write({**self._read(), entry: effect.result})
        self.at(f"{name} recorded")

    def _read(self) -> dict[str, Json]:
        return dict(json.loads(self.path.read_text())) if self.path.exists() else {}

    def _write(self, kept: dict[str, Json]) -> None:
        new = self.path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(kept))
        new.replace(self.path)
