"""Measure whether a broken plugin slows the others down: how soon their errors are incidents, and told.

    python benchmarks/broken.py [--errors 100] [--rounds 1] [CASE ...]

Each case is `aiops run` on a file with good plugins: a source, a detector, an analyzer, an action, a notifier. Beside
them are broken ones of each kind, all broken in the same way, or in every way at once; they are asked before the good
ones, and what the broken detectors look for is written twice a second. Errors are written to the log twice a second
whatever becomes of them, and what is measured is the time from the write until the incident is committed, and until
the good notifier has told of it. With several rounds the cases take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from latency import LINE, TRACE, letters, running, stamped

PARTS = '''\
import os, time
from aiops_core import (
    Action, Analysis, Analyzer, Config, Event, Extension, LogBatch, LogDetector, Notifier, Outcome, Plan, Receipt,
    Source,
)


class Way(Config):
    how: str = ""
    """Way it goes wrong."""
    at: str = ""
    """Method that raises."""


def go_wrong(config, method):
    if config.how == "exit":
        os._exit(3)
    while config.how == "hang":
        pass
    kept = []
    while config.how == "leak":
        kept.append(bytearray(1 << 20))
    if config.at == method:
        raise ValueError("broken")


class Find(LogDetector[Way]):
    rank = "line"

    def __init__(self, config, context):
        super().__init__(config, context)
        self.triggers = (f"boom {config.how}",)

    def cut(self, lines, hit):
        if self.config.at:
            go_wrong(self.config, "cut")
        return super().cut(lines, hit)

    def detect(self, block):
        go_wrong(self.config, "detect")
        return Event("Boom", "boom")


class Read(Source[Way]):
    def source(self, positions):
        go_wrong(self.config, "source")
        while True:
            yield LogBatch("clock", b"tick\\n", ((0, {"at": 0}), (5, {"at": 5})))
            time.sleep(0.5)

    def committed(self, stream, position):
        go_wrong(self.config, "committed")


class Explain(Analyzer[Way]):
    def estimate(self, incident, evidence):
        go_wrong(self.config, "estimate")

    def analyze(self, incident, evidence):
        go_wrong(self.config, "analyze")
        return Analysis("Found", "It is found.", "The cause.", confidence=1.0)


class Do(Action[Way]):
    def plan(self, incident, analysis, change):
        if self.config.at:
            go_wrong(self.config, "plan")
        return Plan("Do it", "It will be done.")

    def act(self, plan):
        go_wrong(self.config, "act")
        return Outcome("done", "It is done.")

    def follow(self, outcome):
        go_wrong(self.config, "follow")


class Tell(Notifier[Way]):
    takes_digests = False

    def notify(self, report):
        go_wrong(self.config, "notify")
        if not self.config.how and report.incident:
            with open("told", "a") as told:
                told.write(report.incident.type + "\\n")
        return Receipt()


class Watch(Extension[Way]):
    def gather(self, incident):
        go_wrong(self.config, "gather")
        return []

    def started(self, pipeline):
        go_wrong(self.config, "started")

    def events_recorded(self, events):
        go_wrong(self.config, "events_recorded")

    def incident_changed(self, incident, before):
        go_wrong(self.config, "incident_changed")

    def step_finished(self, incident, step, state):
        go_wrong(self.config, "step_finished")
'''
KINDS = {
    "sources": "Read",
    "detectors": "Find",
    "analyzers": "Explain",
    "actions": "Do",
    "notifiers": "Tell",
    "extensions": "Watch",
}
RAISING: Mapping[str, tuple[str, ...]] = {
    "sources": ("source", "committed"),
    "detectors": ("cut", "detect"),
    "analyzers": ("analyze", "estimate"),
    "actions": ("plan", "act", "follow"),
    "notifiers": ("notify",),
    "extensions": ("gather", "started", "events_recorded", "incident_changed", "step_finished"),
}
"""The methods that raise, each of a plugin of its own."""
AUTO = {"actions": ", mode: auto"}
GOOD = {"sources": '{uses: file, with: {paths: ["./logs/*/*.log"]}}', "detectors": "python"}
NO_STORM = "notices: {storm: {messages: 100000, incidents: 100000, together: 0s}}"
"""Every error is told for itself, however many there are."""
INSTALLED = "import error, wrong signature"
CASES: Mapping[str, tuple[str, ...]] = {
    "nothing": (),
    INSTALLED: (),
    "raise": ("raise",),
    "hang": ("hang",),
    "exit": ("exit",),
    "leak": ("leak",),
    "all at once": ("raise", "hang", "exit", "leak"),
}
"""What the plugins beside the good ones do wrong; those that cannot be imported or called are only installed."""
TURN = 0.5
"""Seconds from one error to the next."""
MOST = 60.0
"""Seconds after which what is not told counts as lost."""


@dataclass
class Took:
    """How many seconds each error took."""

    committed: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)


def pipeline(ways: tuple[str, ...]) -> str:
    """Return a pipeline of good plugins, and before them those of each kind for each way to go wrong."""
    text = f"state: ./state\npipelines:\n  latency:\n    {NO_STORM}\n"
    for kind, name in KINDS.items():
        text += f"    {kind}:\n"
        for how in ways:
            text += "".join(f"      - {{uses: './parts.py:{name}', {step}}}\n" for step in broken(kind, how))
        text += (
            f"      - {GOOD.get(kind) or f'{{uses: ./parts.py:{name}, name: good{AUTO.get(kind, str())}}}'}\n"
        )
    return text


def broken(kind: str, how: str) -> Iterator[str]:
    """Yield the steps of a kind that go wrong so, as a pipeline's file has them."""
    if how == "raise":
        for at in RAISING[kind]:
            yield f"name: raise-{at.replace('_', '-')}, with: {{how: raise, at: {at}}}{AUTO.get(kind, '')}"
    elif kind != "extensions":  # they run in the program's own process only
        apart = "isolation: process, limits: {time: 500ms, memory: 200MB}"
        yield f"name: {how}, with: {{how: {how}}}, {apart}{AUTO.get(kind, '')}"


def install_broken(directory: Path) -> None:
    """Install a distribution whose plugins cannot be imported, and one whose plugins cannot be called."""
    wrong = "from aiops_core import LogDetector\n\n\nclass Find(LogDetector):\n    triggers = ('boom',)\n\n"
    wrong += "    def detect(self, block, more): ...\n"
    for name, text in (("unimportable", "import nowhere_at_all\n"), ("uncallable", wrong)):
        (directory / f"{name}.py").write_text(text)
        info = directory / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "".join(f"[aiops.{kind}]\n{name} = {name}:Find\n" for kind in (*KINDS, "extensions"))
        )


@contextmanager
def on_path(directory: str) -> Iterator[None]:
    """Let programs that are begun meanwhile find what is installed in a directory."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = directory
    try:
        yield
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


@contextmanager
def booming(log: Path, ways: tuple[str, ...]) -> Iterator[None]:
    """Write what the broken detectors look for, as often as errors are written."""
    is_over = threading.Event()

    def write() -> None:
        with log.open("ab", buffering=0) as out:
            while not is_over.wait(TURN):
                out.write(b"".join(b"boom %s\n" % how.encode() for how in ways) + stamped(LINE))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def written(log: Path, names: list[str], at: dict[str, float]) -> None:
    """Write an error each turn, whatever became of those before, and note when."""
    began, out = time.monotonic(), os.open(log, os.O_WRONLY | os.O_APPEND)
    for number, name in enumerate(names):
        time.sleep(max(began + number * TURN - time.monotonic(), 0))
        at[f"shop.Trouble{name}"] = time.monotonic()
        os.write(out, stamped(TRACE + LINE, name))
    os.close(out)


def seen(find: Callable[[], set[str]], at: dict[str, float], count: int, took: list[float]) -> None:
    """Note how long each error took until it was found."""
    known: set[str] = set()
    until = time.monotonic() + count * TURN + MOST
    while len(known) < count and time.monotonic() < until:
        now, found = time.monotonic(), find()
        took += [now - at[name] for name in (found & at.keys()) - known]
        known |= found & at.keys()
        time.sleep(0.004)
    took += [float("inf")] * (count - len(known))


def measure(case: str, errors: int) -> Took:
    """Return how many seconds each error took beside plugins that are broken so."""
    ways, took, at = CASES[case], Took(), dict[str, float]()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        log, other = directory / "logs" / "a" / "app.log", directory / "logs" / "b" / "app.log"
        for path in (log, other):
            path.parent.mkdir(parents=True)
            path.touch()
        (directory / "told").touch()
        (directory / "parts.py").write_text(PARTS)
        if case == INSTALLED:
            install_broken(directory)
        names = [letters(number) for number in range(errors)]
        with on_path(name), running(directory, pipeline(ways)), booming(other, ways):
            database = f"{(directory / 'state' / 'aiops.db').as_uri()}?mode=ro"
            with sqlite3.connect(database, uri=True, check_same_thread=False) as connection:

                def incidents() -> set[str]:
                    return {name for (name,) in connection.execute("SELECT type FROM incidents")}

                def told() -> set[str]:
                    return set((directory / "told").read_text().split())

                threads = [
                    threading.Thread(target=written, args=(log, names, at)),
                    threading.Thread(target=seen, args=(incidents, at, errors, took.committed)),
                    threading.Thread(target=seen, args=(told, at, errors, took.told)),
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
    return took


def last_percent(took: list[float]) -> float:
    """Return the 99th percentile, none between two values."""
    return sorted(took)[-1 - len(took) // 100]


def rows(found: Mapping[str, Took]) -> Iterator[str]:
    """Yield the lines of the table."""
    usual = found.get("nothing")
    for case, took in found.items():
        cells = [case, str(len(took.told))]
        for what in ("committed", "told"):
            one: list[float] = getattr(took, what)
            cells += [f"{seconds * 1000:.0f} ms" for seconds in (statistics.median(one), last_percent(one))]
            cells.append(f"{last_percent(one) / last_percent(getattr(usual, what)):.2f}" if usual else "")
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "cases", nargs="*", choices=[*CASES, []], help="what is to be broken; all when none is named"
    )
    parser.add_argument("--errors", type=int, default=100, help="errors a round (default %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=1, help="how often all cases are measured (default %(default)s)"
    )
    parser.add_argument("--raw", type=Path, help="keep every figure in this JSON file")
    options = parser.parse_args()
    found = {case: Took() for case in options.cases or CASES}
    for _ in range(options.rounds):
        for case, took in found.items():
            more = measure(case, options.errors)
            took.committed += more.committed
            took.told += more.told
    if options.raw:
        options.raw.write_text(json.dumps({case: vars(took) for case, took in found.items()}))
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    text = "\n".join(
        [
            f"# Errors of good plugins beside broken ones, {time.strftime('%Y-%m-%d')}",
            "",
            f"On {os.cpu_count()} shared cores; load averages at the end: {load}. From the write of an error until its",
            "incident is committed, and until the good notifier has told of it: median, 99th percentile, and that to the one",
            "beside nothing broken. Plugins that hang, exit and leak have processes of their own.",
            "",
            "| beside plugins that | n | committed | 99 % | ratio | told | 99 % | ratio |",
            "|---|---|---|---|---|---|---|---|",
            *rows(found),
            "",
        ]
    )
    if not options.cases:
        (Path(__file__).parent / "broken.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
