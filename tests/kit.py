"""From nothing to a plugin that is installed, passes its contract and works in a pipeline: how, and what it takes.

    cd tests && python -m kit [KIND ...]

measures it for each kind in an environment of its own, then the contract of every bundled plugin, and writes
benchmarks/kit.md when all kinds were asked for. It ends with 1 where something takes longer than a minute.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shown import ROOT

from aiops_core.scaffold import KINDS, Plugin
from aiops_core.testing import HttpPeer

MOST = 60.0
"""Seconds of a core that a kind, or all contracts together, may take."""
LOG = """\
!!E42 card declined
May  4 12:00:00 host shop[7]: ERROR no room left
May  4 12:00:01 host shop[7]: INFO cart 7 is open
Traceback (most recent call last):
  File "/app/shop/cart.py", line 7, in total
OSError: disk full
"""
REPEAT = '''\
from aiops_core import Analysis, Analyzer


class Repeat(Analyzer):
    """Repeat what it is given."""

    def analyze(self, incident, evidence):
        return Analysis("known", " ".join(one.text for one in evidence), "known", confidence=1.0)
'''
OTHERS: Mapping[str, str] = {
    "sources": "{uses: file, with: {paths: [./press.log]}}",
    "detectors": "python, levels",
    "analyzers": "'./repeat.py:Repeat'",
    "notifiers": "console",
}
"""What a pipeline is made of beside the plugin that is tried."""
SETTINGS: Mapping[str, tuple[str, str]] = {
    "source": ("with: {path: ./press.log}", "OSError: disk full"),
    "detector": ("", "E42: card declined"),
    "analyzer": ("with: {remedies: {OSError: Delete old exports.}}", "Delete old exports."),
    "action": ("mode: auto", "wrote ticket"),
    "notifier": ("with: {url: '${env:URL}', token: '${env:TOKEN}'}", "OSError: disk full"),
    "extension": ("with: {owners: {shop: team-orders}}", "shop belongs to team-orders."),
}
"""How the plugin of a kind is used, and what is seen when it did its work."""


def run(command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """Return what a program prints; raise AssertionError with all it said when it fails."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def build(project: Path, out: Path) -> None:
    """Build the wheel of a project."""
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, project], out)


def install(home: Path, wheels: Iterable[Path]) -> Path:
    """Install wheels into a fresh environment and return its programs; dependencies come from this one.

    What is installed comes first: the .pth file of the dependencies is appended, and an editable
    installation there is not followed, as .pth files in a .pth folder never are.
    """
    venv.create(home, with_pip=False, symlinks=True)
    paths = {"base": str(home), "platbase": str(home)}
    python = home / "bin" / "python"
    offline = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--no-compile"]
    run([sys.executable, "-m", "pip", "--python", python, "install", *offline, *wheels], home)
    site = Path(sysconfig.get_path("purelib", vars=paths))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def passes(project: Path, binaries: Path) -> None:
    """Run the tests of a plugin where it is installed, its contract among them."""
    run([binaries / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"], project)


def pipeline(plugin: Plugin) -> str:
    """Return a pipeline with the plugin in it."""
    settings, _ = SETTINGS[plugin.kind]
    ours = f"{{uses: {plugin.name}{', ' * bool(settings)}{settings}}}"
    steps = {**OTHERS, f"{plugin.kind}s": ours}
    rows = "".join(f"    {kind}: [{one}]\n" for kind, one in steps.items())
    return f"state: ./state\npipelines:\n  press:\n{rows}    policy: {{max_age: 36500d}}\n"


def works(plugin: Plugin, directory: Path, binaries: Path) -> None:
    """Run a pipeline with the plugin, and see that the plugin did its work there."""
    directory.mkdir()
    for name, text in (("press.log", LOG), ("repeat.py", REPEAT), ("pipeline.yaml", pipeline(plugin))):
        (directory / name).write_text(text)
    with HttpPeer() as peer:
        environment = {"URL": peer.url, "TOKEN": "geheim-4711"}
        printed = run([binaries / "aiops", "run", "--once"], directory, environment)
        posted = " ".join(request.body.decode() for request in peer.requests)
    _, wanted = SETTINGS[plugin.kind]
    assert wanted in printed + posted, f"{plugin.kind}: no {wanted!r} in\n{printed}{posted}"


@dataclass
class Cost:
    """What a block took: seconds of a core, and of a clock."""

    core: float = 0.0
    clock: float = 0.0

    def __str__(self) -> str:
        return f"{self.core:.1f} s | {self.clock:.1f} s"


@contextmanager
def cost() -> Iterator[Cost]:
    """Measure what the programs take that are begun and ended meanwhile."""
    found, began, before = Cost(), time.monotonic(), _of_children()
    try:
        yield found
    finally:
        found.core, found.clock = _of_children() - before, time.monotonic() - began


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def from_nothing(kind: str, core: Path, directory: Path) -> Cost:
    """Return what a plugin of a kind takes from ``aiops new`` to its passing contract, in an environment of its own."""
    plugin, wheels = Plugin(kind, f"press_{kind}"), directory / "wheels"
    wheels.mkdir(parents=True)
    project = directory / plugin.distribution
    with cost() as found:
        run([Path(sys.executable).parent / "aiops", "new", kind, plugin.name], directory)
        build(project, wheels)
        binaries = install(directory / "home", [core, *wheels.iterdir()])
        passes(project, binaries)
    works(plugin, directory / "used", binaries)
    return found


def contracts() -> tuple[int, Cost]:
    """Return how many cases the contracts of all bundled plugins have, and what they take."""
    tests = [*ROOT.glob("plugins/*/*/tests/test_*.py"), *ROOT.glob("tests/*_conformance/test_*.py")]
    files = sorted(path for path in tests if "test_contract" in path.read_text())
    with cost() as found:
        said = run([sys.executable, "-m", "pytest", *files, "-k", "test_contract"], ROOT)
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None, said
    return int(passed[1]), found


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []])
    kinds = parser.parse_args().kinds
    with tempfile.TemporaryDirectory(prefix="kit-") as name:
        home = Path(name)
        build(ROOT, home)
        [core] = home.glob("*.whl")
        took = {f"`aiops new {kind}`": from_nothing(kind, core, home / kind) for kind in kinds or KINDS}
    if not kinds:
        count, took["contracts"] = contracts()
        took[f"the contract of every bundled plugin, {count} cases, one process"] = took.pop("contracts")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    text = "\n".join(
        [
            f"# The plugin author's kit, {time.strftime('%Y-%m-%d')}",
            "",
            f"`make kit` on {os.cpu_count()} shared cores, one run; load averages at the end: {load}. A plugin of each kind",
            "from `aiops new` through its wheel and a fresh environment beside the wheel of aiops-core to its passing tests,",
            "contract included; then a pipeline has used it. Downloads are left out: dependencies are there.",
            "",
            "| what | of a core | by the clock |",
            "|---|---|---|",
            *(f"| {what} | {one} |" for what, one in took.items()),
            "",
        ]
    )
    if not kinds:
        (ROOT / "benchmarks" / "kit.md").write_text(text)
    sys.stdout.write(text)
    return int(any(one.core > MOST for one in took.values()))


if __name__ == "__main__":
    sys.exit(main())
