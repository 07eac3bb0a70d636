"""Find and open the state database a command speaks of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aiops_core.errors import UserError
from aiops_core.records import Plan

if TYPE_CHECKING:
    from aiops_core.store import Store

F = TypeVar("F", bound=Callable[..., Any])


class _Duration(click.ParamType[timedelta]):
    """A length of time, as settings write it."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        from pydantic import TypeAdapter, ValidationError

        from aiops_core.settings import Duration

        try:
            length: timedelta = TypeAdapter(Duration).validate_python(value)
        except ValidationError as error:
            self.fail(error.errors()[0]["msg"].removeprefix("Value error, "), param, ctx)
        if length <= timedelta(0):
            self.fail("a period has a length. Write one such as 24h", param, ctx)
        return length


DURATION = _Duration()


def state_options(command: F) -> F:
    """Add ``--file`` and ``--state`` to a command."""
    command = click.option(
        "--file",
        "-f",
        type=click.Path(path_type=Path),
        default=Path("pipeline.yaml"),
        show_default=True,
        help="Pipeline file whose state is meant.",
    )(command)
    return click.option(
        "--state", type=click.Path(path_type=Path), help="State directory, instead of a pipeline file."
    )(command)


def open_store(file: Path, state: Path | None) -> Store:
    """Open the state database; raise UserError when there is none yet."""
    from aiops_core.store import Store

    state = state_directory(file, state)
    if not (state / "aiops.db").exists():
        raise UserError(
            f"{state}: no state database. Run 'aiops run' first, or name another --file or --state"
        )
    return Store.open(state)


def state_directory(file: Path, state: Path | None) -> Path:
    """Return the state directory that is meant, there or not yet; raise UserError without a file."""
    from aiops_core import document

    if state is not None:
        return state
    if not file.exists():
        raise UserError(f"{file}: no such file. Name another --file, or the state directory by --state")
    value = document.read(file).value
    written = value.get("state", "./state") if isinstance(value, dict) else "./state"
    return file.resolve().parent / Path(str(written)).expanduser()


def write(path: Path, text: str) -> None:
    """Write a file that somebody named; raise UserError where that cannot be."""
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}. Name another file") from None


def when(time: Any) -> str:  # Any: a datetime or None
    """Write a time for people: UTC, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ") if time else "-"


def first_line(text: str) -> str:
    """Return what a terminal may show of a text: its first line, without control characters."""
    lines = text.strip().splitlines()
    return printable(lines[0])[:300] if lines else ""


def printable(text: str) -> str:
    """Replace control characters but tabs by a mark."""
    return "".join(char if char.isprintable() or char == "\t" else "�" for char in text)


def short_hash(plan: Plan) -> str:
    """Return what people see and type of a plan's hash."""
    return plan.hash[:12]
