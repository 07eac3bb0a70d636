"""Run a detector in the host's own cutter, over text in memory."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from aiops_detector_java import JavaConfig, JavaErrors

from aiops_core import Event
from aiops_core.text.blocks import Cutter, Grammar


@dataclass
class Found:
    start: int
    end: int
    headline: str
    event: Event


class Host:
    def __init__(self, detector, grammar):
        self.detector = detector
        self.grammar = grammar

    def __call__(self, text):
        """Return what is found, with the lines of each block, headline included."""
        data = text.encode("utf-8", "surrogateescape")
        cutter = Cutter(self.grammar, 0)
        claims = [*cutter.feed(data)[0], *cutter.flush()]
        found, lines, at = [], 0, 0
        for claim in claims:
            start = lines + data.count(b"\n", at, claim.start)
            lines = start + data.count(b"\n", claim.start, claim.end)
            at = claim.end
            event = self.detector.detect(claim.block)
            if event is not None:
                found.append(Found(start, lines, claim.block.headline, event))
        return found


@pytest.fixture(scope="session")
def find():
    detector = JavaErrors()
    return Host(detector, Grammar([detector]))


@pytest.fixture
def find_with():
    def build(**settings):
        detector = JavaErrors(JavaConfig(**settings))
        return Host(detector, Grammar([detector]))

    return build


@pytest.fixture
def only(find):
    """Return the one event of a text that is nothing but one block."""

    def run(text):
        (one,) = find(text)
        assert (one.start, one.end) == (0, text.count("\n"))
        return one.event

    return run


@pytest.fixture(scope="session")
def corpus():
    for folder in Path(__file__).resolve().parents:
        if (folder / "shared" / "data" / "traces").is_dir():
            return folder / "shared" / "data"
    pytest.skip("the corpora are not here: ../shared/data is missing")
