"""Build and check every distribution: scripts/release.py [--audit]. What is fine lies in dist/ afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from version import ROOT, name_and_version, projects

DIST = ROOT / "dist"
_TRY = """\
import importlib.metadata, sys
sys.path = [path for path in sys.path if path]  # not what lies here
distribution = importlib.metadata.distribution(sys.argv[1])
points = [point for point in distribution.entry_points if point.group.startswith("aiops.")]
for point in points:
    point.load()
import aiops_core
print(f"{sys.argv[1]} {distribution.version}: {len(points)} components imported")
"""


def main(arguments: Sequence[str]) -> int:
    """Build, check, install each alone, and say what is in it; with --audit only ask for known weaknesses."""
    if "--audit" in arguments:
        return audit()
    shutil.rmtree(DIST, ignore_errors=True)
    for project in projects(ROOT):
        run("-m", "build", "--no-isolation", "--outdir", str(DIST), str(project.parent))
    files = [str(path) for path in sorted(DIST.iterdir())]
    run("-m", "twine", "check", "--strict", *files)
    run("-m", "check_wheel_contents", *(file for file in files if file.endswith(".whl")))
    for project in projects(ROOT):
        with tempfile.TemporaryDirectory(prefix="release-") as directory:
            install(Path(directory), [name_and_version(project)[0]])
    with tempfile.TemporaryDirectory(prefix="release-") as directory:
        python = install(Path(directory), [name_and_version(project)[0] for project in projects(ROOT)])
        bill = ["environment", str(python), "--pyproject", str(ROOT / "pyproject.toml")]
        run("-m", "cyclonedx_py", *bill, "--of", "JSON", "-o", str(DIST / "sbom.cdx.json"))
    sys.stdout.write(f"{DIST}: {len(files)} files and a bill of materials\n")
    return 0


def run(*arguments: str, by: Path = Path(sys.executable), what: str = "") -> str:
    """Return what an interpreter prints; stop with what it said when it fails."""
    done = subprocess.run([str(by), *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"release: {what or ' '.join(arguments[1:3])} failed\n{done.stdout}{done.stderr}")
    return done.stdout


def install(directory: Path, names: Sequence[str]) -> Path:
    """Install distributions of dist/ into a fresh environment and import all their components."""
    venv.create(directory, with_pip=True, symlinks=True)
    python = directory / "bin" / "python"
    wheels = [str(next(DIST.glob(f"{name.replace('-', '_')}-*.whl"))) for name in names]
    run("-m", "pip", "install", "--disable-pip-version-check", "--find-links", str(DIST), *wheels, by=python)
    run("-m", "pip", "check", "--disable-pip-version-check", by=python)
    for name in names:
        sys.stdout.write(run("-c", _TRY, name, by=python, what=f"importing what {name} provides"))
    return python


def audit() -> int:
    """Ask whether a weakness is known in what all distributions depend on; 1 also where nobody could say."""
    with tempfile.TemporaryDirectory(prefix="audit-") as directory:
        report = Path(directory) / "report.json"
        requirements = Path(directory) / "requirements.txt"
        requirements.write_text("\n".join(_required()) + "\n")
        command = [
            "-m",
            "pip_audit",
            "-r",
            str(requirements),
            "-f",
            "json",
            "-o",
            str(report),
            "--disable-pip",
        ]
        done = subprocess.run(
            [sys.executable, *command, "--no-deps"], capture_output=True, text=True, check=False
        )
        found = json.loads(report.read_text())["dependencies"] if report.is_file() else []
    unknown = [one["name"] for one in found if "skip_reason" in one]
    weak = [(one["name"], weakness["id"]) for one in found for weakness in one.get("vulns", ())]
    for name, weakness in weak:
        sys.stdout.write(f"{name}: {weakness}\n")
    if not found or unknown:
        sys.stderr.write(
            f"audit: the advisories are out of reach from here ({len(unknown)} of {len(found)} packages "
            "unanswered). Run 'make audit' where the package index answers.\n"
            + ("" if found else done.stderr[-500:])
        )
        return 1
    sys.stdout.write(f"audit: {len(found)} packages, {len(weak)} known weaknesses\n")
    return 1 if weak else 0


def _required() -> list[str]:
    """Return what is installed in the environment of the bill of materials, ours left out."""
    bill = DIST / "sbom.cdx.json"
    if not bill.is_file():
        raise SystemExit("audit: no dist/sbom.cdx.json. Run 'make release' first")
    ours = {name_and_version(project)[0] for project in projects(ROOT)}
    parts = json.loads(bill.read_text())["components"]
    return [f"{part['name']}=={part['version']}" for part in parts if part["name"] not in ours]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
