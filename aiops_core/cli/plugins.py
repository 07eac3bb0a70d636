"""aiops plugins, aiops schema."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aiops_core.catalogue import Catalogue, Entry


@click.command()
@click.argument("name", required=False)
@click.option(
    "--probe", is_flag=True, help="Import every plugin, each in a process of its own, and show what fails."
)
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False),
    help="README to write the settings of NAME into, between its markers.",
)
def plugins(name: str | None, probe: bool, write: Path | None) -> None:
    """List what is installed or part of a distribution, or show the settings of one component.

    NAME is a component's or a distribution's. The list is read from metadata: nothing is imported unless the NAME
    of a component or --probe asks for it. With --probe, exit 2 when something is broken. The markers of a
    README are <!-- settings --> and <!-- /settings -->.
    """
    from aiops_core.catalogue import Catalogue

    catalogue = Catalogue()
    chosen = _chosen(catalogue, name)
    named = [entry for entry in chosen if entry.name == name]
    if write is not None:
        _write(named, name, write)
    elif named and not probe:
        _show(named)
    elif not _list(catalogue, chosen, probe=probe):
        sys.exit(2)


def _chosen(catalogue: Catalogue, name: str | None) -> list[Entry]:
    """Return all there is, or what is called so, or else comes from the distribution that is."""
    from packaging.utils import canonicalize_name

    from aiops_core.errors import UserError
    from aiops_core.mistakes import near

    every = [entry for entries in catalogue.entries.values() for entry in entries]
    if name is None:
        return every
    wanted = canonicalize_name(name)
    owned = [entry for entry in every if canonicalize_name(entry.distribution) == wanted]
    found = [entry for entry in every if entry.name == name] or owned
    if not found:
        known = {entry.name for entry in every} | {entry.distribution for entry in every}
        raise UserError(f"{name}: not installed. {near(name, list(known))}")
    return found


def _list(catalogue: Catalogue, chosen: list[Entry], *, probe: bool) -> bool:
    """Print a line for each; return whether none of what was imported is broken."""
    from aiops_core.cli.imports import import_all

    wrong = {(kind, name): text for kind, name, text in import_all()} if probe else {}
    for entry in chosen:
        key = (entry.kind, entry.name)
        if probe:
            broken = wrong.setdefault(key, "nobody could look at it")
            note = f"broken: {broken}" if broken else "ok"
        else:
            twice = "claimed twice: uninstall one" if len(catalogue.entries[key]) > 1 else ""
            note = " · ".join(filter(None, (twice, entry.unfit)))
        label = f"{entry.distribution} {entry.version}"
        click.echo(f"{entry.kind:<11} {entry.name:<22} {label:<28} {note}".rstrip())
    return not any(wrong.get((entry.kind, entry.name)) for entry in chosen)


def _write(named: list[Entry], name: str | None, readme: Path) -> None:
    from aiops_core.cli.reference import put_settings
    from aiops_core.errors import UserError

    if name is None:
        raise UserError(f"--write {readme}: which settings? Name a component, too")
    entry = next((entry for entry in named if entry.kind != "commands"), None)
    if entry is None:
        raise UserError(f"--write {readme}: {name} is no component. Name the one whose settings it takes")
    put_settings(readme, entry.load().config_type)
    click.echo(f"{readme}: written")


def _show(named: list[Entry]) -> None:
    from aiops_core.cli.imports import usable
    from aiops_core.cli.reference import settings_rows

    for entry in named:
        if entry.kind == "commands":
            click.echo(f"command {entry.name} of {entry.distribution} {entry.version}")
            continue
        component = usable(entry)
        click.echo(f"{entry.kind[:-1]} {entry.name} of {entry.distribution} {entry.version} ({entry.target})")
        click.echo(_indented((component.__doc__ or "").strip().partition("\n\n")[0], "  "))
        for row in settings_rows(component.config_type):
            given = row.default if row.default == "required" else f"{row.default} by default"
            click.echo(f"  {row.name}: {row.type}, {given}")
            click.echo(_indented(row.text, "      "))


def _indented(text: str, indent: str) -> str:
    """Return the text of a docstring as the paragraph of a terminal."""
    width = min(shutil.get_terminal_size().columns, 100)
    plain = " ".join(text.replace("``", "").split())
    return textwrap.fill(
        plain,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


@click.command()
def schema() -> None:
    """Print the JSON Schema of a pipeline file with exactly the installed plugins."""
    from aiops_core.cli.reference import document_schema

    click.echo(json.dumps(document_schema(), indent=2, ensure_ascii=False))
