"""However the bytes of a log are cut into reads, its events are the same."""

import gzip
from itertools import pairwise
from random import Random

import pytest
from corner_scene import all_detectors
from fuzzing import traces

from aiops_core import LineCutter, LogBatch
from aiops_core.text.blocks import Cutter

_WIDEST = 60_000
"""Bytes of a file that are read."""


def _events(data, reads):
    """Return what is told of the events in data that a pipe delivers in these reads."""
    detection = all_detectors()
    cutter, pipe, claims = Cutter(detection.grammar, 0), LineCutter(), []
    batch = LogBatch("s", data, ((0, {}), (len(data), {})), ended=True)
    for start, end in pairwise(reads):
        for piece in pipe.feed(data[start:end]):
            claims += cutter.feed(piece.data)[0]
    if rest := pipe.rest().data:
        claims += cutter.feed(rest)[0]
    claims += cutter.flush()
    found = [event for claim in claims for event in detection.events(claim, batch=batch)]
    return sorted(
        (event.start, event.end, event.detector, event.type, event.message, event.severity, event.fingerprint)
        for event in found
    )


def _cuttings(data, random, count):
    """Yield places to cut: at every line, then anywhere."""
    yield [0, *(at + 1 for at, byte in enumerate(data) if byte == 10), len(data)]
    for _ in range(count):
        most = random.choice([1, 2, 5, 40, 400])
        yield [0, *sorted(random.randrange(len(data)) for _ in range(most)), len(data)]


def _differing(name, data, random, count):
    data = data[: data.rfind(b"\n", 0, _WIDEST) + 1] or data[:_WIDEST]
    if not data:
        return
    whole = _events(data, [0, len(data)])
    for reads in _cuttings(data, random, count):
        if _events(data, reads) != whole:
            yield name, reads[:50]


def _files(corpora):
    for path in sorted(path for path in corpora.rglob("*") if path.is_file()):
        if path.suffix in {".json", ".py", ".md", ".csv", ".jsonl"} or "LICENSE" in path.name:
            continue
        data = path.read_bytes()
        yield path.relative_to(corpora).as_posix(), gzip.decompress(data) if path.suffix == ".gz" else data


def test_the_traces_of_the_detectors_own_tests_are_the_same_however_they_are_cut():
    random = Random(7)
    samples = random.sample(traces(), 80)

    assert [one for data in samples for one in _differing(data[:60], data, random, 2)] == []


def test_a_sample_of_the_corpora_is_the_same_however_it_is_cut(corpora):
    random = Random(11)
    files = random.sample(list(_files(corpora / "traces")), 60)

    assert [one for name, data in files for one in _differing(name, data, random, 2)] == []


@pytest.mark.full
@pytest.mark.parametrize("folder", ["traces", "crashes", "loghub"])
def test_all_corpora_are_the_same_however_they_are_cut(corpora, folder):
    random = Random(13)

    assert [one for name, data in _files(corpora / folder) for one in _differing(name, data, random, 3)] == []
