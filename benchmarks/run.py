"""Measure scanning against ripgrep and fail2ban, and how fast commands start; print a table and keep it.

    python benchmarks/run.py [--mb 2000]

All programs run on one core, one after the other, over the same file, read into the page cache right before; CPU
seconds are those of the child process, start included, of ours the least of five runs, scans and recordings in turns,
with the bytecode that an installed package has. Of recording a second row leaves the starts out of both: what
follows files pays for its start once. Slower programs get the beginning of the file only. The corpora come from
``../shared/data/make_corpus.py``. How fast the machine was is told by a loop of additions, the least and the most
it took during the runs.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAKE_CORPUS = ROOT.parent / "shared" / "data" / "make_corpus.py"
_NEEDLESS_ESCAPE = re.compile(r"""\\([ !"'`/@%,:;<>=_])""")  # as re.escape writes, ripgrep refuses
_LONG_REPEAT = re.compile(r"\{\d*,\d{2,}\}")
AIOPS = Path(sys.executable).parent / "aiops"
RUNS = 5
_ADDITIONS = 3_000_000
RATES = ("0.01", "1", "10")
PIPELINE = """
state: ./state
pipelines:
  bench:
    sources:
      - {uses: file, with: {paths: ["./*.log"], start: beginning}}
"""
Row = tuple[str, str, str]
_PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def measure(
    command: list[str], output: Path, directory: Path | None = None, environment: dict[str, str] | None = None
) -> tuple[float, float, int]:
    """Run a command on one core; return CPU seconds, wall seconds and peak memory in bytes."""
    core = min(os.sched_getaffinity(0))
    began = time.monotonic()
    with output.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.DEVNULL,
            cwd=directory,
            env=environment or _PLAIN,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in {0, 1}:  # 1: ripgrep found nothing
        raise SystemExit(f"benchmarks: {command[0]} failed, its figures would mean nothing")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss * 1024


def triggers() -> list[str]:
    """Return what all installed detectors look for, anchors dropped as in the raw scan."""
    from aiops_core.catalogue import Catalogue
    from aiops_core.component import LogDetector
    from aiops_core.text.matcher import compile_trigger

    catalogue, found = Catalogue(), []
    for name in catalogue.names("detectors"):
        component = catalogue.load("detectors", name, Path())()
        if isinstance(component, LogDetector):
            found += [compile_trigger(0, pattern).raw.decode() for pattern in component.triggers]
    return [_NEEDLESS_ESCAPE.sub(r"\1", pattern) for pattern in found]


def corpus(directory: Path, megabytes: int, rate: str) -> Path:
    """Make a corpus in which ``rate`` per cent of the lines belong to errors."""
    path = directory / f"corpus-{rate}.log"
    subprocess.run(
        [sys.executable, MAKE_CORPUS, path, "--mb", str(megabytes), "--rate", rate],
        check=True,
        capture_output=True,
    )
    return path


def score(truth: Path, found: Path) -> str:
    """Compare found events with the truth of the languages that have a detector here."""
    known = {"python", "java", "javascript", "go"}
    wanted = [json.loads(line) for line in truth.read_text().splitlines()]
    extents = {(one["start"], one["end"]) for one in map(json.loads, found.read_text().splitlines())}
    of_known = [one for one in wanted if one["language"] in known]
    exact = sum((one["start"], one["end"]) in extents for one in of_known)
    return f"{exact} of {len(of_known)} blocks of these four languages with exact extents"


def scan_rows(log: Path, rate: str, patterns: list[str]) -> list[Row]:
    """Measure scanning one corpus, recording what is found in it, and the peers."""
    size, out, empty = log.stat().st_size / 1e6, log.with_name("events.jsonl"), log.with_name("empty.log")
    empty.touch()
    starts, scans, begins, runs, loops = [], [], [], [], []
    for _ in range(RUNS):  # in turns: the machine may be faster at one time than at another
        starts.append(scan(empty, out)[0])
        begins.append(run_once(empty))
        scans.append(scan(log, out))
        runs.append(run_once(log))
        loops.append(loop())
    cpu, memory = min(one[0] for one in scans), max(one[2] for one in scans)
    events = out.read_bytes().count(b"\n")
    speed, run = size / cpu, min(runs)
    scanning, recording = cpu - min(starts), run - min(begins)
    return [
        (
            f"scan, {rate} % error lines, {size:.0f} MB",
            f"{speed:.0f} MB per CPU s, {events} events, peak {memory / 1e6:.0f} MB",
            "",
        ),
        ("", score(log.with_name(log.name + ".truth.jsonl"), out), ""),
        (
            "run --once, events and positions stored",
            f"{size / run:.0f} MB per CPU s",
            f"{cpu / run:.2f}×",
        ),
        (
            "both without their starts",
            f"scan {size / scanning:.0f}, run --once {size / recording:.0f} MB per CPU s",
            f"{scanning / recording:.2f}×",
        ),
        (
            f"a loop of {_ADDITIONS:,} additions, meanwhile",
            f"{min(loops) * 1000:.0f} to {max(loops) * 1000:.0f} ms",
            "",
        ),
        *peer_rows(log, patterns, speed),
    ]


def scan(log: Path, out: Path) -> tuple[float, float, int]:
    """Measure scanning a file that lies in the page cache."""
    warm(log)
    return measure([str(AIOPS), "scan", "--jsonl", str(log)], out)


def warm(log: Path) -> None:
    """Read a file into the page cache, out of which it may have fallen."""
    with log.open("rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def loop() -> float:
    """Return the CPU seconds of a loop that does nothing else than add."""
    began, number = time.process_time(), 0
    for one in range(_ADDITIONS):
        number += one
    return time.process_time() - began


def run_once(log: Path) -> float:
    """Return the CPU seconds in which a run records a file, its database there before."""
    with tempfile.TemporaryDirectory() as name:
        directory, command = Path(name), [str(AIOPS), "run", "--once", "pipeline.yaml"]
        (directory / "pipeline.yaml").write_text(PIPELINE)
        measure(command, directory / "out", directory)
        (directory / "corpus.log").symlink_to(log)
        warm(log)
        return measure(command, directory / "out", directory)[0]


def peer_rows(log: Path, patterns: list[str], speed: float) -> list[Row]:
    """Measure what others need per byte, each over as much as takes it seconds, not minutes."""
    short = [pattern for pattern in patterns if not _LONG_REPEAT.search(pattern)]
    rows = [
        peer(log, f"ripgrep -c, the same {len(patterns)} patterns", ripgrep(log, patterns), 0.1, speed),
        peer(log, f"ripgrep -c, {len(short)} without long repeats", ripgrep(log, short), 20, speed),
        peer(
            log,
            "fail2ban-regex, one pattern: ERROR",
            ["fail2ban-regex", "--no-check-all", "--print-no-missed", "{}", "<F-ID>ERROR</F-ID>"],
            20,
            speed,
        ),
    ]
    return [row for row in rows if row]


def ripgrep(log: Path, patterns: list[str]) -> list[str]:
    """Return the command that counts the lines these patterns match."""
    file = log.with_name(f"patterns-{len(patterns)}")
    file.write_text("\n".join(patterns) + "\n")
    limits = ["--dfa-size-limit", "1G", "--regex-size-limit", "1G"]  # what it takes so many patterns with
    return ["rg", "-c", "-j1", "--no-config", *limits, "-f", str(file), "{}"]


def peer(log: Path, name: str, command: list[str], megabytes: float, speed: float) -> Row | None:
    """Run another program over the beginning of a corpus; say so and return None where there is none."""
    if shutil.which(command[0]) is None:
        sys.stderr.write(f"{command[0]} is not installed, it is not measured\n")
        return None
    part = log.with_name("part.log")
    with log.open("rb") as whole:
        data = whole.read(int(megabytes * 1_000_000))
    part.write_bytes(data[: data.rfind(b"\n") + 1])
    cpu, _, _ = measure([str(part) if word == "{}" else word for word in command], log.with_name("peer.out"))
    theirs = part.stat().st_size / 1e6 / cpu
    return f"{name}, {megabytes:g} MB", f"{theirs:.1f} MB per CPU s", f"{speed / theirs:.1f}×"


def install_thirty(directory: Path) -> dict[str, str]:
    """Leave thirty plugins behind as pip does; return the environment in which they are installed."""
    kinds = ("sources", "detectors", "analyzers", "actions", "notifiers", "commands")
    for number in range(30):
        info = directory / f"acme_{number}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: acme-{number}\nVersion: 1.0\nRequires-Dist: aiops-core>=0.1\n"
        )
        group, module = f"aiops.{kinds[number % len(kinds)]}", f"acme_{number}"
        (info / "entry_points.txt").write_text(f"[{group}]\n{module} = {module}:Thing\n")
        (directory / f"{module}.py").write_text("raise SystemExit('imported')\n")
    return {**_PLAIN, "PYTHONPATH": str(directory)}


def start_rows(directory: Path) -> list[Row]:
    """Measure how long small commands take, with thirty plugins installed."""
    example = ROOT / "plugins" / "sources" / "file" / "example.yaml"
    environment, rows = install_thirty(directory / "site"), []
    for label, command in (
        ("--help, 30 plugins installed", ["--help"]),
        ("plugins, 30 installed", ["plugins"]),
        ("check of an example", ["check", str(example)]),
    ):
        runs = [measure([str(AIOPS), *command], directory / "out", None, environment) for _ in range(5)]
        cpu, wall = (statistics.median(run[one] for run in runs) * 1000 for one in (0, 1))
        rows.append((f"aiops {label}", f"{wall:.0f} ms, {cpu:.0f} ms of a core (medians of 5)", ""))
    return rows


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mb", type=int, default=2000, help="size of each log in MB (default %(default)s)")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for folder in ("aiops_core", "plugins"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    with tempfile.TemporaryDirectory() as name:
        rows = start_rows(Path(name))
        if MAKE_CORPUS.exists():
            patterns = triggers()
            for rate in RATES:
                log = corpus(Path(name), options.mb, rate)
                rows += scan_rows(log, rate, patterns)
                log.unlink()
        else:
            sys.stdout.write(
                "the corpora are not here: ../shared/data is missing, scanning is not measured\n"
            )
    table = ["| what | measured | ratio |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    text = (
        f"# Measured {time.strftime('%Y-%m-%d')} on {os.cpu_count()} cores, Python {sys.version.split()[0]}\n\n"
        + "\n".join(table)
        + "\n"
    )
    results = Path(__file__).parent / "results.md"
    _, chapter, rest = results.read_text().partition("\n## ")  # what people wrote below the table stays
    results.write_text(text + chapter + rest)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
