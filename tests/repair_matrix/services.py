"""Read the services: small programs with several bugs each, from which cases are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field

from aiops_core import replace
from aiops_core.document import Place, Spot, check, read
from aiops_core.errors import DocumentError
from aiops_core.settings import Config


class HeldOut(Config):
    """Where held-out tests stand and how they are run; ``{bug}`` and ``{Bug}`` are the bug's name."""

    path: str
    """Where the test is put in the tree of a request."""
    command: str
    """Command that runs it."""


class Bug(Config):
    """One bug: what it logs, what mends it, and what only seems to."""

    log: str
    """What the service logs; ``{line}`` is the line of ``search``."""
    cause: str
    """Why it happens, in one sentence."""
    path: str
    """File that is wrong."""
    search: str
    """Lines to replace, there once."""
    fix: str
    """What they become."""
    breaks: str
    """What mends the bug and breaks another test."""
    special: str = ""
    """What mends exactly the input of the new test."""
    swallow: str
    """What hides the error."""
    test: str
    """New test that fails without the fix as the log says, and passes with it."""
    held_out: str
    """Test nobody saw, which ``special`` fails."""


class Service(Config):
    """``bugs.yaml``."""

    language: Literal["python", "javascript", "java"]
    """Language of the service, which names its detector."""
    requires: tuple[str, ...] = ("python3",)
    """Programs its tests need."""
    repository: dict[str, Any]
    """As in ``case.yaml``."""
    new_test: str
    """Where a new test goes; ``{bug}`` and ``{Bug}`` are the bug's name."""
    held_out: HeldOut
    """Held-out tests."""
    bugs: dict[str, Bug] = Field(min_length=1)
    """Bugs by name."""


@dataclass(frozen=True)
class Found:
    """One bug of one service, with all that a template needs."""

    service: str
    name: str
    root: Path
    about: Service
    bug: Bug
    is_first: bool
    """Whether it is the service's first: templates that do not depend on the bug are applied to it."""

    @property
    def case(self) -> str:
        """Name of its case."""
        return f"{self.service}-{self.name.replace('_', '-')}"

    @property
    def source(self) -> str:
        """The wrong file as an editor shows it."""
        raw = (self.root / "repo" / self.bug.path).read_bytes()
        try:
            return raw.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError:
            return raw.decode("latin-1").replace("\r\n", "\n")

    @property
    def line(self) -> int:
        """Line of the first line that is replaced."""
        return self.source[: self.source.index(self.bug.search)].count("\n") + 1

    def named(self, pattern: str) -> str:
        """Return a pattern with the bug's name in it."""
        return pattern.replace("{bug}", self.name).replace("{Bug}", self.name.title().replace("_", ""))

    @property
    def new_test(self) -> str:
        """Path of the new test."""
        return self.named(self.about.new_test)


def read_services(root: Path) -> Iterator[Found]:
    """Yield every bug of every service; raise DocumentError that names mistakes by file and line."""
    for path in sorted(root.glob("*/bugs.yaml")):
        about, spots = _read(path)
        for number, (name, bug) in enumerate(about.bugs.items()):
            found = Found(path.parent.name, name, path.parent, about, bug, number == 0)
            _refuse_misplaced(found, path, spots)
            yield found


def _read(path: Path) -> tuple[Service, Mapping[Place, Spot]]:
    try:
        text = read(path, environment={})
        about = cast("Service | None", check(Service, text.value, text, ()))
        text.raise_problems()
    except DocumentError as error:
        raise DocumentError([replace(problem, path=str(path)) for problem in error.problems]) from None
    assert about is not None
    return about, text.spots


def _refuse_misplaced(found: Found, path: Path, spots: Mapping[Place, Spot]) -> None:
    if found.source.count(found.bug.search) != 1:
        from aiops_core.errors import Problem

        place = ("bugs", found.name, "search")
        said = (
            f"occurs {found.source.count(found.bug.search)} times in {found.bug.path}. Quote lines there once"
        )
        raise DocumentError([Problem(str(path), *spots[place], f"bugs.{found.name}.search", said)])
