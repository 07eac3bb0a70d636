"""Print the size of the host's core and of the largest files, so that growth is seen."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORE = (
    "records",
    "errors",
    "hooks",
    "settings",
    "component",
    "context",
    "catalogue",
    "document",
    "pipeline",
    "detection",
    "ingest",
    "respond",
    "runner",
)


def lines(path: Path) -> int:
    """Count the lines of a file."""
    return len(path.read_text("utf-8").splitlines())


def main() -> None:
    """Print the counts."""
    core = sum(
        lines(path)
        for name in CORE
        for path in (ROOT / "aiops_core").glob("**/*.py")
        if path.relative_to(ROOT / "aiops_core").parts[0] in {name, f"{name}.py"}
    )
    files = sorted(
        (
            (lines(path), path)
            for folder in ("aiops_core", "plugins")
            for path in (ROOT / folder).rglob("*.py")
            if "tests" not in path.parts
        ),
        reverse=True,
    )
    total = sum(count for count, _ in files)
    sys.stdout.write(
        f"core: {core} lines (about 3,000 wanted); everything: {total} lines in {len(files)} files\n"
    )
    for count, path in files[:5]:
        sys.stdout.write(f"  {count:>5} {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
