"""How a repository says that it is tested."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

Command = tuple[str, str]
"""What installs what the tests need ("" for nothing), and what runs them."""
_NO_TEST = "no test specified"
_SAMPLE = 50
_TEST_FUNCTION = re.compile(r"^(?:async )?def test_", re.MULTILINE)


def test_commands(directory: Path) -> Iterator[Command]:
    """Yield the ways to test what is in a directory, the likeliest first."""
    for look in (_python, _node, _maven, _gradle, _go, _rust, _ruby, _php, _dotnet, _elixir, _make):
        if (found := look(directory)) is not None:
            yield found


def _python(directory: Path) -> Command | None:
    tests = sorted(
        {
            path
            for pattern in ("test_*.py", "tests/**/test_*.py", "test/**/test_*.py")
            for path in directory.glob(pattern)
        }
    )
    texts = [_text(path) for path in tests[:_SAMPLE]]
    has_config = any(
        (directory / name).exists() for name in ("pytest.ini", "conftest.py", "tests/conftest.py")
    )
    if has_config or _names_pytest(directory) or any(map(_is_for_pytest, texts)):
        return _with_pytest(directory), "python3 -m pytest -q"
    if not tests:
        return None
    return _python_setup(directory), _unittest(tests[0].parent, directory)


def _names_pytest(directory: Path) -> bool:
    names = ("pyproject.toml", "setup.cfg", "tox.ini")
    paths = [*(directory / name for name in names), *directory.glob("requirements*.txt")]
    return any("pytest" in _text(path) for path in paths)


def _is_for_pytest(text: str) -> bool:
    """Tell whether tests need pytest: they name it, or are functions that unittest does not look at."""
    return "pytest" in text or ("unittest" not in text and bool(_TEST_FUNCTION.search(text)))


def _unittest(folder: Path, directory: Path) -> str:
    """Return the command: a folder that is no package is only looked into when it is named."""
    if folder == directory or (folder / "__init__.py").exists():
        return "python3 -m unittest"
    return f"python3 -m unittest discover -s {shlex.quote(folder.relative_to(directory).as_posix())}"


def _with_pytest(directory: Path) -> str:
    """Return what installs the project and pytest, which is often named beside what it needs to run."""
    setup = _python_setup(directory)
    if setup.endswith("requirements.txt") and "pytest" in _text(directory / "requirements.txt"):
        return setup
    setup = setup or "python3 -m pip install"
    for path in sorted(directory.glob("requirements*.txt")):
        if "pytest" in _text(path):
            return f"{setup} -r {shlex.quote(path.name)}"
    if extra := _extra_with_pytest(directory):
        return f"{setup.removesuffix(' -e .')} -e '.[{extra}]'"
    return f"{setup} pytest"


def _extra_with_pytest(directory: Path) -> str:
    try:
        described = tomllib.loads(_text(directory / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return ""
    extras = described.get("project", {}).get("optional-dependencies", {})
    return next((name for name, packages in extras.items() if "pytest" in str(packages)), "")


def _python_setup(directory: Path) -> str:
    if (directory / "requirements.txt").exists():
        return "python3 -m pip install -r requirements.txt"
    if any((directory / name).exists() for name in ("pyproject.toml", "setup.py")):
        return "python3 -m pip install -e ."
    return ""


def _node(directory: Path) -> Command | None:
    try:
        package = json.loads(_text(directory / "package.json") or "{}")
    except ValueError:
        return None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    test = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(test, str) or _NO_TEST in test:
        return None
    for lock, setup, run in (
        ("pnpm-lock.yaml", "pnpm install --frozen-lockfile", "pnpm test"),
        ("yarn.lock", "yarn install --frozen-lockfile", "yarn test"),
        ("package-lock.json", "npm ci", "npm test"),
    ):
        if (directory / lock).exists():
            return setup, run
    return "npm install", "npm test"


def _maven(directory: Path) -> Command | None:
    program = "./mvnw" if (directory / "mvnw").exists() else "mvn"
    return _if_there(directory, "pom.xml", f"{program} -q -DskipTests install", f"{program} -q test")


def _gradle(directory: Path) -> Command | None:
    program = "./gradlew" if (directory / "gradlew").exists() else "gradle"
    is_there = (directory / "build.gradle").exists() or (directory / "build.gradle.kts").exists()
    return (f"{program} testClasses", f"{program} test") if is_there else None


def _go(directory: Path) -> Command | None:
    return _if_there(directory, "go.mod", "go mod download", "go test ./...")


def _rust(directory: Path) -> Command | None:
    return _if_there(directory, "Cargo.toml", "cargo fetch", "cargo test")


def _ruby(directory: Path) -> Command | None:
    if not (directory / "Gemfile").exists():
        return None
    return "bundle install", "bundle exec rspec" if (directory / "spec").is_dir() else "bundle exec rake test"


def _php(directory: Path) -> Command | None:
    has_config = any((directory / name).exists() for name in ("phpunit.xml", "phpunit.xml.dist"))
    return ("composer install", "vendor/bin/phpunit") if has_config else None


def _dotnet(directory: Path) -> Command | None:
    is_there = any(directory.glob("*.sln")) or any(directory.glob("*.csproj"))
    return ("dotnet restore", "dotnet test") if is_there else None


def _elixir(directory: Path) -> Command | None:
    return _if_there(directory, "mix.exs", "mix deps.get", "mix test")


def _make(directory: Path) -> Command | None:
    rules = (_text(directory / name) for name in ("Makefile", "makefile", "GNUmakefile"))
    return ("", "make test") if any(re.search(r"^test:", text, re.MULTILINE) for text in rules) else None


def _if_there(directory: Path, name: str, setup: str, test: str) -> Command | None:
    return (setup, test) if (directory / name).exists() else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
