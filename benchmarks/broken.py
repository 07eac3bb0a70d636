"""Measure whether a broken plugin slows the others down: how soon their errors are incidents beside it.

    python benchmarks/broken.py [--errors 300]

Three runs, one after the other, each as `aiops run` follows a file: with good plugins only; beside plugins of
each kind whose every method raises; beside plugins of each kind in processes of their own that hang, end
themselves and leak. What the broken detectors look for is written five times a second.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latency import LINE, TRACE, delays, letters, row, running, stamped

PARTS = '''\
import os, time
from aiops_core import *


def go_wrong(how):
    if how == "exit":
        os._exit(3)
    while how == "hang":
        pass
    kept = []
    while how == "leak":
        kept.append(bytearray(1 << 20))
    raise ValueError("broken")


class Way(Config):
    how: str = ""
    """Way it goes wrong."""


class Find(LogDetector[Way]):
    rank = "line"

    def __init__(self, config, context):
        super().__init__(config, context)
        self.triggers = (f"boom {config.how}",)

    def cut(self, lines, hit):
        return super().cut(lines, hit) if self.config.how != "raise" else go_wrong("raise")

    def detect(self, block):
        go_wrong(self.config.how)


class Read(Source[Way]):
    def source(self, positions):
        go_wrong(self.config.how)

    def committed(self, stream, position):
        go_wrong(self.config.how)


class Explain(Analyzer[Way]):
    def analyze(self, incident, evidence):
        go_wrong(self.config.how)


class Do(Action[Way]):
    def plan(self, incident, analysis, change):
        if self.config.how == "raise":
            go_wrong(self.config.how)
        return Plan("Do it", "It will be done.")

    def act(self, plan):
        go_wrong(self.config.how)


class Tell(Notifier[Way]):
    def notify(self, report):
        go_wrong(self.config.how)
'''
KINDS = {"sources": "Read", "detectors": "Find", "analyzers": "Explain", "actions": "Do", "notifiers": "Tell"}
GOOD = {
    "sources": '{uses: file, with: {paths: ["./logs/*/*.log"]}}',
    "detectors": "python",
    "notifiers": "{uses: file, with: {path: ./told.jsonl}}",
}
WAYS = {
    "nothing broken": (),
    "every method raises": ("raise",),
    "apart: hang, exit, leak": ("hang", "exit", "leak"),
}


def pipeline(ways: tuple[str, ...]) -> str:
    """Return a pipeline of good plugins and of one of each kind for each way to go wrong."""
    text = "state: ./state\npipelines:\n  latency:\n"
    for kind, name in KINDS.items():
        text += f"    {kind}:\n" if kind in GOOD or ways else ""
        text += f"      - {GOOD[kind]}\n" if kind in GOOD else ""
        for how in ways:
            apart = "" if how == "raise" else ", isolation: process, limits: {time: 500ms, memory: 200MB}"
            apart += ", mode: auto" if kind == "actions" else ""
            text += f"      - {{uses: './parts.py:{name}', name: {how}, with: {{how: {how}}}{apart}}}\n"
    return text


@contextmanager
def booming(log: Path, ways: tuple[str, ...]) -> Iterator[None]:
    """Write what the broken detectors look for, five times a second."""
    is_over = threading.Event()

    def write() -> None:
        with log.open("ab", buffering=0) as out:
            while not is_over.wait(0.2):
                out.write(b"".join(b"boom %s\n" % how.encode() for how in ways) + stamped(LINE))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def measure(ways: tuple[str, ...], errors: int) -> list[float]:
    """Return how many seconds each error took to be an incident beside plugins broken in these ways."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        log, other = directory / "logs" / "a" / "app.log", directory / "logs" / "b" / "app.log"
        for path in (log, other):
            path.parent.mkdir(parents=True)
            path.touch()
        (directory / "parts.py").write_text(PARTS)
        names = [letters(number) for number in range(errors)]
        with running(directory, pipeline(ways)), booming(other, ways):
            return delays(log, directory / "state" / "aiops.db", names, TRACE + LINE, 0.3)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--errors", type=int, default=300)
    options = parser.parse_args()
    took = {name: measure(ways, options.errors) for name, ways in WAYS.items()}
    usual, *_ = (statistics.quantiles(one, n=100, method="inclusive")[98] for one in took.values())
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    text = "\n".join(
        [
            f"# Errors of good plugins beside broken ones, {time.strftime('%Y-%m-%d')}",
            "",
            f"On {os.cpu_count()} shared cores; load averages at the end: {load}.",
            "",
            "| beside | n | median | 99th percentile | slowest | 99th percentile to that of nothing broken |",
            "|---|---|---|---|---|---|",
            *(
                f"{row(name, one)} {statistics.quantiles(one, n=100, method='inclusive')[98] / usual:.2f} |"
                for name, one in took.items()
            ),
            "",
        ]
    )
    (Path(__file__).parent / "broken.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
