"""How a repository says that it is tested."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

Command = tuple[str, str]
"""What installs what the tests need ("" for nothing), and what runs them."""
_NO_TEST = "no test specified"
_SAMPLE = 50


def test_commands(directory: Path) -> Iterator[Command]:
    """Yield the ways to test what is in a directory, the likeliest first."""
    for look in (_python, _node, _maven, _gradle, _go, _rust, _ruby, _php, _dotnet, _elixir, _make):
        if (found := look(directory)) is not None:
            yield found


def _python(directory: Path) -> Command | None:
    tests = [
        *directory.glob("test_*.py"),
        *directory.glob("tests/**/test_*.py"),
        *directory.glob("test/**/test_*.py"),
    ]
    is_pytest = any(
        (directory / name).exists() for name in ("pytest.ini", "conftest.py", "tests/conftest.py")
    )
    texts = [
        _text(directory / name) for name in ("pyproject.toml", "setup.cfg", "tox.ini", "requirements.txt")
    ]
    texts += [_text(path) for path in directory.glob("requirements*.txt")]
    texts += [_text(path) for path in tests[:_SAMPLE]]
    is_pytest = is_pytest or any("pytest" in text for text in texts)
    if not tests and not is_pytest:
        return None
    return _python_setup(directory), "python3 -m pytest -q" if is_pytest else "python3 -m unittest"


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
