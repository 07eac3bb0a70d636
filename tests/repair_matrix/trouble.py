"""What goes wrong round a good answer: the forge, the push, the process itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from repair_matrix.cases import Trouble

from aiops_core.failpoints import VARIABLE
from aiops_core.testing.forge_bench import ForgeBench

_AIOPS = Path(sys.executable).parent / "aiops"


def make_trouble(trouble: Trouble, bench: ForgeBench) -> None:
    """Let the forge and the git server behave so."""
    if trouble.call:
        status, body = bench.wordings[trouble.kind]
        method, path = bench.creating if trouble.call == "creating" else bench.labelling
        bench.api.fail(method, path, status, body, after=trouble.after, times=trouble.times)
    if trouble.push:
        bench.bare.refuse_pushes(*trouble.push)
    bench.git.fail_with = trouble.git


def die_at(point: str, pipeline: str, log: bytes, directory: Path, environment: Mapping[str, str]) -> None:
    """Run the pipeline in a process that dies there."""
    directory.mkdir()
    (directory / "pipeline.yaml").write_text(pipeline, "utf-8")
    (directory / "error.log").write_bytes(log)
    subprocess.run(
        [_AIOPS, "run", "--once", "pipeline.yaml"],
        cwd=directory,
        env={**os.environ, **environment, VARIABLE: point},
        capture_output=True,
        timeout=120,
        check=False,
    )
