"""Measure scanning against ripgrep, and how fast commands start; print a table and keep it.

    python benchmarks/run.py [--mb 1000]

Both programs run on one core, one after the other, over the same file from the page cache; CPU
seconds are those of the child process. The corpora come from ``../shared/data/make_corpus.py``.
"""

from __future__ import annotations

import argparse
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
AIOPS = Path(sys.executable).parent / "aiops"


def measure(command: list[str], output: Path) -> tuple[float, float, int]:
    """Run a command on one core; return CPU seconds, wall seconds and peak memory in bytes."""
    core = min(os.sched_getaffinity(0))
    began = time.monotonic()
    with output.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
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
    path.read_bytes()  # into the page cache
    return path


def score(truth: Path, found: Path) -> str:
    """Compare found events with the truth of the languages that have a detector here."""
    known = {"python", "java", "javascript", "go"}
    wanted = [json.loads(line) for line in truth.read_text().splitlines()]
    extents = {(one["start"], one["end"]) for one in map(json.loads, found.read_text().splitlines())}
    of_known = [one for one in wanted if one["language"] in known]
    exact = sum((one["start"], one["end"]) in extents for one in of_known)
    return f"{exact} of {len(of_known)} blocks of these four languages with exact extents"


def scan_rows(directory: Path, megabytes: int) -> list[tuple[str, str, str]]:
    """Measure scanning at two error rates."""
    patterns = directory / "patterns"
    patterns.write_text("\n".join(triggers()) + "\n")
    rows = []
    for rate in ("0.01", "1", "10"):
        log = corpus(directory, megabytes, rate)
        size, out = log.stat().st_size / 1e6, directory / "events.jsonl"
        cpu, _, memory = measure([str(AIOPS), "scan", "--jsonl", str(log)], out)
        events = out.read_bytes().count(b"\n")
        name = f"scan, {rate} % error lines, {size:.0f} MB"
        rows.append((name, f"{size / cpu:.0f} MB per CPU s, {events} events, peak {memory / 1e6:.0f} MB", ""))
        rows.append(("", score(log.with_name(log.name + ".truth.jsonl"), out), ""))
        if shutil.which("rg"):
            command = ["rg", "-c", "-j1", "--no-config", "-f", str(patterns), str(log)]
            peer, _, _ = measure(command, directory / "rg.out")
            rows.append(
                (
                    f"ripgrep -c, the same {len(triggers())} patterns",
                    f"{size / peer:.0f} MB per CPU s",
                    f"{peer / cpu:.1f}×",
                )
            )
        log.unlink()
    return rows


def start_rows(directory: Path) -> list[tuple[str, str, str]]:
    """Measure how long small commands take."""
    example = ROOT / "plugins" / "sources" / "file" / "example.yaml"
    rows = []
    for label, command in (("--help", ["--help"]), ("check of an example", ["check", str(example)])):
        walls = [measure([str(AIOPS), *command], directory / "out")[1] for _ in range(5)]
        rows.append((f"aiops {label}", f"{statistics.median(walls) * 1000:.0f} ms (median of 5)", ""))
    return rows


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mb", type=int, default=1000)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        rows = start_rows(Path(name))
        if MAKE_CORPUS.exists():
            rows += scan_rows(Path(name), options.mb)
        else:
            sys.stdout.write(
                "the corpora are not here: ../shared/data is missing, scanning is not measured\n"
            )
    table = ["| what | measured | ratio |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    text = (
        f"# Measured {time.strftime('%Y-%m-%d')} on {os.cpu_count()} shared cores\n\n"
        + "\n".join(table)
        + "\n"
    )
    (Path(__file__).parent / "results.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
