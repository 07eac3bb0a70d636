"""How fast a big state database is: 100,000 incidents, 1,000,000 events, 1,000,000 queued jobs.

`python benchmarks/scale.py [DIRECTORY]` builds the databases there (once: it takes some minutes and 3 GB), measures,
and prints the rows of scale.md.
"""

import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from aiops_core.records import Event, Frame, RaisedException
from aiops_core.store import Store, tables
from aiops_core.store.queue import new_job

AIOPS = Path(sys.executable).parent / "aiops"
INCIDENTS, EVENTS, JOBS = 100_000, 1_000_000, 1_000_000
START = datetime(2026, 11, 1, tzinfo=UTC)
PIPELINE = """\
pipelines:
  p:
    sources: [{uses: file, with: {paths: [./app.log], start: beginning}}]
    detectors: [python]
    policy: {max_age: 3650d}
"""


def event(incident: int, number: int, key: str = "") -> Event:
    """Return one event as a detector finds it, about 1 kB."""
    frames = tuple(Frame(f"/srv/shop/part{n}.py", n, f"step_{n}", f"shop.part{n}") for n in range(6))
    message = f"order {incident}-{number} failed"
    block = "Traceback (most recent call last):\n" + "\n".join(f"  {frame}" for frame in frames)
    return Event(
        type=f"Trouble{incident % 500}",
        message=message,
        language="python",
        detector="python",
        severity="error",
        exceptions=(RaisedException(f"Trouble{incident % 500}", message, frames),),
        occurred_at=START + timedelta(seconds=number),
        block=block,
        fingerprint=f"v1:{incident:012x}",
        key=key or f"{incident}-{number}",
        path="/var/log/shop.log",
    )


def fill(directory: Path) -> None:
    """Record a million events of a hundred thousand incidents, each with a finished run and its trail."""
    with Store.open(directory, clock=lambda: START + timedelta(days=20)) as store:
        each = EVENTS // INCIDENTS
        for first in range(0, INCIDENTS, 1_000):
            found = [
                (event(of, first * each + n), False)
                for of in range(first, first + 1_000)
                for n in range(each)
            ]
            store.record("p", found, [], {})
        now = store.clock()
        with store._database.write() as connection:
            for first in range(1, INCIDENTS, 5_000):
                ids = range(first, min(first + 5_000, INCIDENTS + 1))
                runs = [
                    {"id": of, "incident_id": of, "pipeline": "p", "reason": "new", "state": "done",
                     "created_at": now, "started_at": now, "finished_at": now}
                    for of in ids
                ]  # fmt: skip
                connection.execute(insert(tables.runs), runs)
                steps = [
                    {"run_id": of, "name": name, "state": "done", "started_at": now, "finished_at": now}
                    for of in ids
                    for name in ("evidence", "analyze", "notify")
                ]
                connection.execute(insert(tables.steps), steps)


def queue(directory: Path) -> None:
    """Queue a million jobs that are due, for runs that are there."""
    shutil.copy(directory.parent / "big" / "aiops.db", directory / "aiops.db")
    with Store.open(directory) as store, store._database.write() as connection:
        now = store.clock()
        for first in range(0, JOBS, 10_000):
            rows = [
                new_job("follow", f"follow:{n}", {"run": n % INCIDENTS + 1, "step": "x"}, now, now)
                for n in range(first, first + 10_000)
            ]
            connection.execute(insert(tables.jobs), rows)


def timed(command: list[str], times: int) -> list[float]:
    """Return the milliseconds of so many runs of a command, after one that warms the cache."""
    took = []
    for _ in range(times + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        took.append((time.perf_counter() - began) * 1_000)
    return took[1:]


def inside(directory: Path, *words: str, clock: str = "perf_counter") -> list[float]:
    """Return the milliseconds a command takes in a process that has everything imported, after a first time."""
    script = (
        "import time\nfrom click.testing import CliRunner\nfrom aiops_core.cli import cli\n"
        f"words, runner = {list(words)!r} + ['--state', {str(directory)!r}], CliRunner()\n"
        f"for _ in range(8):\n    began = time.{clock}()\n    result = runner.invoke(cli, words)\n"
        f"    assert result.exit_code == 0, result.output\n    print((time.{clock}() - began) * 1000)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return [float(line) for line in done.stdout.splitlines()][1:]


def ingest(directory: Path, events: int = 5_000) -> float:
    """Return how many events a second of a core the store records: of 400 known and 100 new incidents, 500 a batch."""
    with Store.open(directory) as store:
        stamp, took = time.time_ns(), 0.0
        for batch in range(events // 500):
            known = [event(INCIDENTS - 1 - n, n, f"{stamp}-{batch}-{n}") for n in range(400)]
            new = [event(stamp + batch * 500 + n, n, f"{stamp}-{batch}-{n}") for n in range(400, 500)]
            found = [(one, False) for one in (*known, *new)]
            began = time.thread_time()
            store.record("p", found, [], {})
            took += time.thread_time() - began
    return events / took


def run(directory: Path) -> subprocess.Popen[str]:
    """Start `aiops run` on a state directory."""
    (directory / "pipeline.yaml").write_text(f"state: .\n{PIPELINE}")
    (directory / "app.log").touch()
    return subprocess.Popen([AIOPS, "run"], cwd=directory, stderr=subprocess.PIPE, text=True)


def start(directory: Path) -> tuple[float, float]:
    """Return the seconds until a run watches, and those its stop takes."""
    began = time.perf_counter()
    with run(directory) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "watching" in line:
                break
        ready = time.perf_counter() - began
        time.sleep(2.0)
        process.send_signal(signal.SIGTERM)
        began = time.perf_counter()
        process.communicate(timeout=30)
        return ready, time.perf_counter() - began


def row(name: str, took: list[float], unit: str = "ms") -> None:
    """Print one row of the table."""
    print(f"| {name} | {statistics.median(took):,.0f} {unit} | {max(took):,.0f} {unit} | {len(took)} |")


def main() -> None:
    """Build what is not there, and measure."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="aiops-scale-"))
    big, queued = directory / "big", directory / "queued"
    for place, build in ((big, fill), (queued, queue)):
        if not (place / "aiops.db").exists():
            began = time.perf_counter()
            place.mkdir(parents=True, mode=0o700)
            build(place)
            print(f"{place.name}: built in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    load = os.getloadavg()[0]
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}\n"
    )
    print("| what | median | slowest | n |\n|---|---|---|---|")
    row(
        "starting the interpreter with the command line alone (`aiops --version`)",
        timed([AIOPS, "--version"], 7),
    )
    state = ["--state", str(big)]
    row("`aiops incidents list`, whole process", timed([AIOPS, "incidents", "list", *state], 7))
    row("`aiops incidents list`, its own time", inside(big, "incidents", "list"))
    row("the same, of a core", inside(big, "incidents", "list", clock="process_time"))
    row("`aiops why`, whole process", timed([AIOPS, "why", "50000", *state], 7))
    row("`aiops why`, its own time", inside(big, "why", "50000"))
    row("the same, of a core", inside(big, "why", "50000", clock="process_time"))
    with tempfile.TemporaryDirectory(dir=directory) as empty:
        pairs = [(ingest(Path(empty)), ingest(big)) for _ in range(7)][1:]  # in turns, the first to warm up
    row("events a second of a core into an empty store", [one for one, _ in pairs], "/s")
    row("events a second of a core into the big store", [one for _, one in pairs], "/s")
    row("big store against empty one", [big_ / empty_ * 100 for empty_, big_ in pairs], "%")
    starts = [start(queued) for _ in range(3)]
    row("`aiops run` with the queued jobs, until it watches", [ready * 1_000 for ready, _ in starts])
    row("its stop after two seconds of work", [stop * 1_000 for _, stop in starts])


if __name__ == "__main__":
    main()
