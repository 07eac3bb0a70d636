"""Run a detector the way ingest does: trigger scan, windows, cutting, one event per block."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aiops_core import Block, Event, LogDetector
from aiops_core.text.blocks import Cutter, Grammar


@dataclass(frozen=True)
class Found:
    detector: LogDetector
    text: str
    block: Block
    event: Event


def _find(*detectors: LogDetector, text: str | bytes, step: int = 0) -> list[Found]:
    data = text.encode() if isinstance(text, str) else text
    cutter = Cutter(Grammar(detectors), 0)
    lines = data.splitlines(keepends=True)
    chunks = [b"".join(lines[at : at + step]) for at in range(0, len(lines), step)] if step else [data]
    claims = [claim for chunk in chunks for claim in cutter.feed(chunk)[0]] + cutter.flush()
    found = []
    for claim in claims:
        detector = detectors[claim.detector]
        event = detector.detect(claim.block)
        if event is not None:
            found.append(Found(detector, data[claim.start : claim.end].decode(), claim.block, event))
    return found


@pytest.fixture
def find() -> Callable[..., list[Found]]:
    return _find


@pytest.fixture(scope="session")
def corpora() -> Path:
    for folder in Path(__file__).resolve().parents:
        if (data := folder.parent / "shared" / "data").is_dir():
            return data
    pytest.skip("no corpora beside the project (../shared/data)")
