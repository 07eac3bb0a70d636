"""Write a storm of errors to files that `aiops run` follows, and measure what becomes of it.

    python benchmarks/storm.py [--rate 100000] [--seconds 60] [--files 1]

500 kinds of eight-frame tracebacks repeat with changing ids, at ``--rate`` blocks a second. In the middle
stands one rare error. Printed are the errors counted, those lost or counted twice, the time until the
rare one was an incident, how long the run lagged behind, and its CPU seconds and peak memory. The blocks
are rendered before it begins, only their times are set while they are written.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AIOPS = Path(sys.executable).parent / "aiops"
KINDS, FRAMES, WORKERS = 500, 8, 8
PIPELINE = """
state: ./state
pipelines:
  storm:
    sources:
      - {uses: file, with: {paths: ["./storm-*.log"], start: beginning}}
"""
RARE = "shop.RareError"
RARE_BLOCK = f"""Traceback (most recent call last):
  File "/srv/app/rare.py", line 1, in f
{RARE}: one
""".encode()
TIME = "0000-00-00 00:00:00"
TICK = 0.02
BLOBS = 32


def letters(number: int) -> str:
    """Return a name that holds no digit, which grouping would mask."""
    return chr(97 + number % 26) + chr(97 + number // 26)


def kinds() -> list[str]:
    """Return the templates of the tracebacks."""
    return [
        "{time} ERROR [worker-{worker}] shop.order: request {request:x} failed\nTraceback (most recent call last):\n"
        + "".join(
            f'  File "/srv/app/{letters(kind)}.py", line {10 + frame}, in step_{letters(frame)}\n    call(order)\n'
            for frame in range(FRAMES)
        )
        + f"shop.{letters(kind).title()}Error: order {{order}} has no stock\n"
        for kind in range(KINDS)
    ]


def blobs(size: int, templates: list[str], chance: random.Random) -> list[bytes]:
    """Return some runs of tracebacks, each with ids of its own, all with the same time."""
    return [
        "".join(
            chance.choice(templates).format(
                time=f"{TIME},{chance.randrange(1000):03}",
                worker=chance.randrange(WORKERS),
                request=chance.randrange(1 << 40),
                order=chance.randrange(10**9),
            )
            for _ in range(size)
        ).encode()
        for _ in range(BLOBS)
    ]


def write(paths: list[Path], rate: int, seconds: int) -> tuple[int, float]:
    """Write the storm; return how many blocks it had, and when the rare error was written."""
    size = max(1, round(rate * TICK))
    ready = blobs(size, kinds(), random.Random(1))
    logs = [path.open("ab", buffering=0) for path in paths]
    began, written, rare_at = time.monotonic(), 0, 0.0
    while written < rate * seconds:
        passed = time.monotonic() - began
        while written < min(passed, seconds) * rate:
            number = written // size
            now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()).encode()
            logs[number % len(logs)].write(ready[number % BLOBS].replace(TIME.encode(), now))
            written += size
        if not rare_at and passed > seconds / 2:
            logs[0].write(RARE_BLOCK)
            rare_at = time.monotonic()
        time.sleep(TICK / 2)
    for log in logs:
        log.write(b"the end\n")
        log.close()
    return written, rare_at


def counts(database: Path) -> dict[str, int]:
    """Return how often each type of error was counted."""
    try:
        with sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True) as connection:
            return dict(connection.execute("SELECT type, sum(count) FROM incidents GROUP BY type"))
    except sqlite3.OperationalError:
        return {}


def watch(database: Path, begin: int, ready: int) -> None:
    """Tell through a pipe when the run counts at all, and when it has the rare error."""
    with os.fdopen(ready, "w") as out:
        while not counts(database).get(RARE):
            time.sleep(0.1)
        out.write(str(time.monotonic()))
    os._exit(begin)


def main() -> None:
    """Run, write, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rate", type=int, default=100_000, help="error blocks written a second (default %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=int, default=60, help="how long they are written (default %(default)s)"
    )
    parser.add_argument("--files", type=int, default=1, help="to how many files (default %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        database = directory / "state" / "aiops.db"
        (directory / "pipeline.yaml").write_text(PIPELINE)
        logs = [directory / f"storm-{number}.log" for number in range(options.files)]
        for log in logs:
            log.touch()
        run = subprocess.Popen([AIOPS, "run", "pipeline.yaml"], cwd=directory, stderr=subprocess.DEVNULL)
        while not database.exists():
            time.sleep(0.05)
        seen, ready = os.pipe()
        if (watcher := os.fork()) == 0:
            watch(database, 0, ready)
        os.close(ready)
        written, rare_at = write(logs, options.rate, options.seconds)
        ended = time.monotonic()
        while sum(counts(database).values()) < written + 1 and time.monotonic() - ended < 600:
            time.sleep(0.1)
        lag, found = time.monotonic() - ended, counts(database)
        rare = float(os.fdopen(seen).read()) - rare_at
        os.waitpid(watcher, 0)
        run.send_signal(signal.SIGTERM)
        _, _, usage = os.wait4(run.pid, 0)
    cpu = usage.ru_utime + usage.ru_stime
    sys.stdout.write(
        f"{written} errors of {KINDS} kinds in {options.seconds} s: {sum(found.values()) - 1} counted in "
        f"{len(found) - 1} incidents' types; the rare one was an incident after {rare:.1f} s; the last was counted "
        f"{lag:.1f} s after it was written; {cpu:.1f} CPU s ({cpu / written * 1e6:.0f} us an error), "
        f"peak {usage.ru_maxrss / 1024:.0f} MB\n"
    )


if __name__ == "__main__":
    main()
