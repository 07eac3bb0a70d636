"""Text that looks like logs and is damaged: traces of the detectors' own tests, carried, cut and mixed."""

import ast
import json
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from aiops_core.catalogue import Catalogue
from aiops_core.component import LogDetector
from aiops_core.detection import Detection

DETECTORS = Path(__file__).parents[1] / "plugins" / "detectors"
JUNK = (
    b"\xff\xfe", b"\0", b"\x1b[31m", b"\x1b]8;;", b'"', b"\\", b"\\u", b"\\ud800", b"{", b"}", b"[", b"]", b"(",
    b"\r", b"\n", b"\t", b" ", b":", b"...", b"at ", b"\n  ", b"\xe2\x80\xa8", b"Caused by: ", b"\n\n", b"=",
    b"Traceback (most recent call last):\n", b"panic: ", b"goroutine 1 [running]:\n", b"9" * 400, b"(" * 200,
)  # fmt: skip
CARRIERS = (
    lambda line: line,
    lambda line: b"2026-11-21T03:00:00Z stderr F " + line,
    lambda line: b"2026-11-21T03:00:00Z stderr P " + line,
    lambda line: b"<11>1 2026-11-21T03:00:00Z host app 7 - - " + line,
    lambda line: b"Nov 21 03:00:00 host app[7]: " + line,
    lambda line: b"[p1] 2026-11-21 03:00:00,000 ERROR " + line,
    lambda line: json.dumps({"log": line.decode("utf-8", "replace") + "\n", "stream": "stderr"}).encode(),
)


@cache
def traces(name="*"):
    """Return every text of several lines that a detector, or any, is tested with."""
    found = {}
    for path in sorted(DETECTORS.glob(f"{name}/tests/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count("\n") > 1:
                found[node.value] = None
    return [text.encode("utf-8", "surrogateescape") for text in found]


def _in_field(trace):
    return json.dumps(
        {"level": "error", "msg": "x", "stack_trace": trace.decode("utf-8", "replace")}
    ).encode()


def _spread(trace):
    record = {"error": {"stack": trace.decode("utf-8", "replace").splitlines()}, "level": 50}
    return json.dumps(record, indent=2).encode()


@st.composite
def logs(draw):
    """Return the bytes of a log, its last line ended."""
    picked = draw(st.lists(st.sampled_from(traces()), min_size=1, max_size=3))
    form = draw(st.sampled_from([None, None, None, _in_field, _spread]))
    carry = draw(st.sampled_from(CARRIERS))
    text = b"\n".join(form(one) if form else one for one in picked)
    data = bytearray(b"\n".join(carry(line) for line in text.split(b"\n")))
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.sampled_from([0, 0, 1, 3, 40, 400])))
        data[at:end] = draw(st.sampled_from(JUNK) | st.binary(max_size=4) | st.just(bytes(data[at:end]) * 2))
    return bytes(data) + b"\n"


@cache
def detectors():
    catalogue = Catalogue(discovers=False)
    made = {name: catalogue.load("detectors", name, Path()) for name in catalogue.unnamed_detectors()}
    return {name: kind() for name, kind in made.items() if issubclass(kind, LogDetector)}


@cache
def detection():
    return Detection(detectors().items())
