"""Measure how soon an error is an incident, and what watching costs when nobody writes.

    python benchmarks/latency.py [--errors 500] [--tails 40] [--files 10000] [--idle 60]

`aiops run` follows a file with every detector on. Errors are written to it one by one, at random moments,
and the database is looked at every millisecond until the incident is committed: errors that a log line
ends, alone and beside a file that gets 2,000 lines a second; errors at the end of the file. Then a second run
watches ``--files`` files to which nobody writes.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AIOPS = Path(sys.executable).parent / "aiops"
PIPELINE = """
state: ./state
pipelines:
  latency:
    sources:
      - {uses: file, with: {paths: ["./logs/*/*.log"]}}
"""
TRACE = (
    "{time} ERROR shop.order: request failed\nTraceback (most recent call last):\n"
    '  File "/srv/app/shop.py", line 3, in serve_{name}\n    raise Trouble\nshop.Trouble{name}: no stock\n'
)
LINE = "{time} INFO shop.order: request served\n"
SETTLE = 30.0
"""Seconds until a run over many files has looked at all of them."""


def stamped(template: str, name: str = "") -> bytes:
    """Return a text of the log with the present time."""
    return template.format(time=time.strftime("%Y-%m-%d %H:%M:%S,000", time.gmtime()), name=name).encode()


def letters(number: int) -> str:
    """Spell a number without digits, so that every error is an incident of its own."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


@contextmanager
def running(directory: Path, pipeline: str = PIPELINE) -> Iterator[int]:
    """Run a pipeline over ``directory``; yield its process id once it has looked around."""
    (directory / "pipeline.yaml").write_text(pipeline)
    log = directory / "run.log"
    with log.open("wb") as err:
        run = subprocess.Popen([AIOPS, "run", "pipeline.yaml"], cwd=directory, stderr=err)
    try:
        while ": watching " not in log.read_text() and run.poll() is None:
            time.sleep(0.05)
        time.sleep(1.0)
        yield run.pid
    finally:
        run.send_signal(signal.SIGTERM)
        run.wait(30)


def delays(log: Path, database: Path, names: list[str], template: str, pause: float) -> list[float]:
    """Write errors one by one; return how many seconds each took to be an incident."""
    chance, took = random.Random(1), []
    out = os.open(log, os.O_WRONLY | os.O_APPEND)
    with sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True) as connection:
        for name in names:
            time.sleep(chance.random() * pause)
            os.write(out, stamped(template, name))
            began, wanted = time.monotonic(), (f"shop.Trouble{name}",)
            while connection.execute("SELECT 1 FROM incidents WHERE type = ?", wanted).fetchone() is None:
                if time.monotonic() - began > 30:
                    raise SystemExit(f"latency: the error {name} is no incident after 30 s")
                time.sleep(0.001)
            took.append(time.monotonic() - began)
    os.close(out)
    return took


@contextmanager
def noise(log: Path) -> Iterator[None]:
    """Write 2,000 lines a second meanwhile."""
    is_over = threading.Event()

    def write() -> None:
        with log.open("ab", buffering=0) as out:
            while not is_over.wait(0.005):
                out.write(stamped(LINE) * 10)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def row(name: str, took: list[float]) -> str:
    """Return a line of the table."""
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    figures = " | ".join(f"{seconds * 1000:.0f} ms" for seconds in (cuts[49], cuts[98], max(took)))
    return f"| {name} | {len(took)} | {figures} |"


def measure_delays(directory: Path, errors: int, tails: int) -> list[str]:
    """Return the rows about errors that are written."""
    log, other = directory / "logs" / "a" / "app.log", directory / "logs" / "b" / "app.log"
    for path in (log, other):
        path.parent.mkdir(parents=True)
        path.touch()
    database = directory / "state" / "aiops.db"
    names = [letters(number) for number in range(2 * errors + tails)]
    with running(directory):
        alone = delays(log, database, names[:errors], TRACE + LINE, 0.2)
        with noise(other):
            beside = delays(log, database, names[errors : 2 * errors], TRACE + LINE, 0.2)
        last = delays(log, database, names[2 * errors :], TRACE, 1.0)
    return [
        row("an error that a log line ends", alone),
        row("the same beside 2,000 lines a second", beside),
        row("an error at the end of the file", last),
    ]


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_idle(directory: Path, files: int, seconds: float) -> str:
    """Return what share of a core a run takes that watches files nobody writes to."""
    for number in range(files):
        path = directory / "logs" / str(number // 100) / f"{number}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stamped(LINE))
    with running(directory) as pid:
        time.sleep(SETTLE)
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(seconds)
        share = (cpu_seconds(pid) - before) / (time.monotonic() - began)
    return (
        f"{files:,} files to which nobody writes take {share:.1%} of a core, measured over {seconds:.0f} s."
    )


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--errors", type=int, default=500, help="errors a log line ends (default %(default)s)"
    )
    parser.add_argument(
        "--tails", type=int, default=40, help="errors at the end of the file (default %(default)s)"
    )
    parser.add_argument("--files", type=int, default=10_000, help="idle files watched (default %(default)s)")
    parser.add_argument(
        "--idle", type=float, default=60.0, help="seconds for which they are (default %(default)s)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = measure_delays(Path(name), options.errors, options.tails)
    with tempfile.TemporaryDirectory() as name:
        idle = measure_idle(Path(name), options.files, options.idle)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    text = "\n".join(
        [
            f"# From a written line to a committed incident, {time.strftime('%Y-%m-%d')}",
            "",
            f"On {os.cpu_count()} shared cores; load averages at the end: {load}.",
            "",
            "| what is written | n | median | 99th percentile | slowest |",
            "|---|---|---|---|---|",
            *rows,
            "",
            idle,
            "",
        ]
    )
    (Path(__file__).parent / "latency.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
