"""Print how detection and grouping do on public corpora beside the project (../shared/data).

Given the name of a table (traces, negatives, crashes, templates), print only that one; with
--failures, name what went wrong.
"""

import csv
import importlib.util
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations
from pathlib import Path
from typing import Any

from aiops_core.cli.scan import build_detection
from aiops_core.detection import Detection
from aiops_core.records import Event, LogBatch
from aiops_core.text.blocks import Cutter
from aiops_core.text.fingerprint import fingerprint, parts

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SAME = {"csharp": "dotnet", "c": "cpp", "c++": "cpp", "native": "cpp"}
"""Languages by their names in the corpora and here."""
UNNAMED = {
    "AbstractClassInstantiationError",
    "ArgumentError",
    "Assertion failed",
    "AssertionError",
    "ConcurrentModificationError",
    "CyclicInitializationError",
    "Error",
    "FallThroughError",
    "OutOfMemoryError",
    "StackOverflowError",
    "StateError",
    "UnsupportedError",
    "goroutine dump",
}
"""Types of what a text shows without naming it: Dart prints `Bad state: …` for a StateError."""
HARMLESS = (
    "0 errors found",
    "Build finished: 0 errors, 0 warnings",
    "INFO no exception was raised",
    "INFO error_count=0 failed=0",
    "2026-01-01 10:00:00 INFO Compiled with 0 error(s)",
    "INFO ErrorHandler registered for Exception types",
    "Traceback is disabled",
    "panic mode is off",
    "test_error_handling PASSED",
    "GET /errors/exception.html 200",
)


def main(arguments: Sequence[str]) -> int:
    """Print the tables."""
    tables = {"traces": traces, "negatives": negatives, "crashes": crashes, "templates": templates}
    chosen = [name for name in arguments if name != "--failures"] or list(tables)
    if unknown := set(chosen) - set(tables):
        say(f"corpora: no table {', '.join(sorted(unknown))}. There are {', '.join(tables)}.")
        return 2
    if not DATA.is_dir():
        say("corpora: nothing to measure with. Put the corpora into ../shared/data beside the project.")
        return 0
    detection = build_detection(())
    for name in chosen:
        say(f"\n{name}")
        failures = list(tables[name](detection))
        if "--failures" in arguments:
            for failure in failures:
                say(f"  {failure}")
    return 0


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def events_of(detection: Detection, data: bytes) -> list[Event]:
    """Return the events of a whole file, in the order they stand in it."""
    cutter = Cutter(detection.grammar, 0)
    batch = LogBatch("s", data, ((0, {}), (len(data), {})), ended=True)
    fed, _ = cutter.feed(data)
    found = [event for claim in fed for event in detection.events(claim, batch=batch)]
    found += [event for claim in cutter.flush() for event in detection.events(claim, batch=batch)]
    return sorted(found, key=lambda event: event.start)


def show(head: Sequence[object], rows: Iterable[Sequence[object]]) -> None:
    """Print a table, its first column to the left."""
    cells = [
        [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in (head, *rows)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *rest in cells:
        others = "  ".join(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        say(f"  {first.ljust(widths[0])}  {others}")


def traces(detection: Detection) -> Iterator[str]:
    """Count the samples of one exception that are one event of the right language."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for origin, entry, path in _samples():
        language = SAME.get(entry["language"], entry["language"])
        events = events_of(detection, path.read_bytes())
        wrong = _wrong(events, language, entry, path)
        for row in (f"{origin} {language}", f"all {language}", "all"):
            counts[row].update(samples=1, **dict.fromkeys(wrong, 1), right=int(not wrong))
        if wrong:
            told = [(event.detector, event.type, event.message[:60]) for event in events]
            yield f"{origin}/{entry['file']}: {', '.join(wrong)}: {told}"
    columns = ("samples", "right", "count", "language", "type", "message")
    show(
        ("one event each", *columns, "share"),
        [
            (name, *(row[one] for one in columns), row["right"] / row["samples"])
            for name, row in sorted(counts.items())
        ],
    )
    say("  count … message: samples where that is wrong")


def _samples() -> Iterator[tuple[str, dict[str, Any], Path]]:
    for manifest in sorted((DATA / "traces").glob("*/manifest.json")):
        for entry in json.loads(manifest.read_text("utf-8")):
            if all(entry.get(key, True) for key in ("one_exception", "has_header_line")) and (
                entry.get("exceptions", 1) == 1
            ):
                yield manifest.parent.name, entry, manifest.parent / entry["file"]


def _wrong(events: Sequence[Event], language: str, entry: dict[str, Any], path: Path) -> list[str]:
    """Say what is wrong: a type or message that does not stand in the text, or not the one that is known."""
    if len(events) != 1:
        return ["count"]
    event, text = events[0], " ".join(path.read_text("utf-8", "replace").split())
    wrong = [] if event.language == language else ["language"]
    if event.type not in UNNAMED and event.type.rpartition(".")[2] not in text:
        wrong.append("type")
    lines = [" ".join(line.split()) for line in event.message.splitlines()]
    known, message = " ".join((entry.get("message") or "").split()), " ".join(lines)
    is_known = not known or known not in text or (message and message in known)
    if not is_known or any(line not in text for line in lines):
        wrong.append("message")
    return wrong


def negatives(detection: Detection) -> Iterator[str]:
    """Count the events where there should be none: of several lines, or of a trace detector."""
    rows = []
    for path in sorted((DATA / "loghub").glob("*/*/*_2k.log")):
        data = path.read_bytes()
        events = events_of(detection, data)
        long = [event for event in events if data.count(b"\n", event.start, event.end) > 1]
        raised = [event for event in events if event.exceptions]
        rows.append((path.parent.name, data.count(b"\n"), len(events), len(long), len(raised)))
        for event in chain(long, raised):
            yield f"{path.name} bytes {event.start}-{event.end}: {event.detector}: {event.block[:80]!r}"
    for name, lines in _single_lines():
        found = [(line, event) for line in lines for event in events_of(detection, f"{line}\n".encode())]
        raised = [event for _, event in found if event.exceptions]
        rows.append((name, len(lines), len(found), 0, len(raised)))
        for line, event in found:
            yield f"{name}: {line!r} is {event.detector}: {event.type}"
    show(("no event", "lines", "events", "of several lines", "traces"), rows)


def _single_lines() -> Iterator[tuple[str, Sequence[str]]]:
    known = json.loads((DATA / "traces/datadog-agent/start_lines.json").read_text("utf-8"))
    yield "never a start", known["never_a_start"]
    yield "continuation only", known["continuation_only"]
    yield "harmless words", HARMLESS


def crashes(detection: Detection) -> Iterator[str]:
    """Compare the fingerprint of each crash log with the group its own project gave it, pair by pair."""
    entries = json.loads((DATA / "crashes/groups.json").read_text("utf-8"))
    keys = {entry["id"]: _key(detection, entry) for entry in entries}
    by_language: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        by_language[entry["language"]].append(entry)
        by_language["all"].append(entry)
    rows = []
    for language, members in sorted(by_language.items()):
        counts = Counter(_pair(keys, one, other) for one, other in combinations(members, 2))
        both, merged, missed = counts["both"], counts["false merge"], counts["missed merge"]
        found = sum(bool(keys[entry["id"]]) for entry in members)
        precision, recall = both / (both + merged or 1), both / (both + missed or 1)
        rows.append((language, len(members), found, both, merged, missed, precision, recall))
    show(("crashes", "logs", "found", "pairs", "false merges", "missed merges", "precision", "recall"), rows)
    yield from (f"{entry['id']}: nothing found" for entry in entries if not keys[entry["id"]])
    for one, other in combinations(entries, 2):
        if (told := _pair(keys, one, other)) in {"false merge", "missed merge"}:
            yield f"{told}: {one['id']} ({one['group']}), {other['id']} ({other['group']})"


def _key(detection: Detection, entry: dict[str, Any]) -> str:
    events = events_of(detection, (DATA / "crashes" / entry["path"]).read_bytes())
    return next((event.fingerprint for event in events if event.exceptions), "")


def _pair(keys: dict[str, str], one: dict[str, Any], other: dict[str, Any]) -> str:
    is_same = bool(keys[one["id"]]) and keys[one["id"]] == keys[other["id"]]
    if one["group"] == other["group"]:
        return "both" if is_same else "missed merge"
    if not is_same or {one["group"], *(one.get("alt") or ())} & {other["group"], *(other.get("alt") or ())}:
        return ""
    return "false merge"


def templates(_: Detection) -> Iterator[str]:
    """Compare the groups of labelled lines with those of their fingerprints."""
    score = _scorer()
    rows: list[tuple[Any, ...]] = []  # Any: a name, then numbers
    for path in sorted((DATA / "loghub/corrected").glob("*/*structured_corrected.csv")):
        with path.open(encoding="utf-8", errors="replace", newline="") as table:
            lines = list(csv.DictReader(table))
        events = [Event(type="LogError", message=line["Content"], detector="levels") for line in lines]
        truth = [line["EventTemplate"] for line in lines]
        found = score(truth, [parts(event)[-1].after for event in events], list(map(fingerprint, events)))
        rows.append(
            (
                path.parent.name,
                *(float(found[name]) for name in ("GA", "FGA", "PA", "FTA")),
                found["pred_groups"],
                found["true_groups"],
            )
        )
        yield from _torn(path.parent.name, truth, [parts(event)[-1].after for event in events])
    mean = [sum(row[column] for row in rows) / (len(rows) or 1) for column in range(1, 5)]
    show(
        ("one configuration", "GA", "FGA", "PA", "FTA", "groups", "true groups"),
        [*rows, ("mean", *mean, "", "")],
    )


def _scorer() -> Callable[[list[str], list[str], list[str]], dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("score", DATA / "loghub/score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    scorer: Callable[[list[str], list[str], list[str]], dict[str, Any]] = module.score
    return scorer


def _torn(system: str, truth: Sequence[str], found: Sequence[str]) -> Iterator[str]:
    of_truth: dict[str, set[str]] = defaultdict(set)
    for true, template in zip(truth, found, strict=True):
        of_truth[true].add(template)
    for true, several in of_truth.items():
        if len(several) > 1:
            yield f"{system}: {true!r} is {len(several)} groups: {sorted(several)[:3]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
