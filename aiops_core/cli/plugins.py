"""aiops plugins, aiops schema."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import Any

import click


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
    """List what is installed, or the settings of one component.

    The list is read from metadata: nothing is imported unless NAME or --probe asks for it. The markers
    of a README are <!-- settings --> and <!-- /settings -->.
    """
    from aiops_core.catalogue import Catalogue

    catalogue = Catalogue()
    if name is not None:
        _show(catalogue, name) if write is None else _write(catalogue, name, write)
        return
    wrong = _probed() if probe else {}
    for (kind, entry_name), entries in catalogue.entries.items():
        for entry in entries:
            notes = ["claimed twice: uninstall one"] if len(entries) > 1 else []
            notes.append(entry.unfit)
            notes.append(wrong.get((kind, entry_name), ""))
            label = f"{entry.distribution} {entry.version}"
            click.echo(f"{kind:<11} {entry_name:<22} {label:<28} {' · '.join(filter(None, notes))}".rstrip())


def _probed() -> dict[tuple[str, str], str]:
    from aiops_core.cli.imports import import_all

    return {(kind, name): f"broken: {wrong}" if wrong else "ok" for kind, name, wrong in import_all()}


def _write(catalogue: Any, name: str, readme: Path) -> None:  # Any: Catalogue, imported lazily
    from aiops_core.cli.reference import put_settings

    entry = next(entry for entry in _named(catalogue, name) if entry.kind != "commands")
    put_settings(readme, entry.load().config_type)
    click.echo(f"{readme}: written")


def _show(catalogue: Any, name: str) -> None:  # Any: Catalogue, imported lazily
    from aiops_core.cli.reference import settings_rows

    for entry in _named(catalogue, name):
        if entry.kind == "commands":
            click.echo(f"command {entry.name} of {entry.distribution} {entry.version}")
            continue
        component = entry.load()
        click.echo(f"{entry.kind[:-1]} {entry.name} of {entry.distribution} {entry.version} ({entry.target})")
        click.echo(_indented((component.__doc__ or "").strip().partition("\n\n")[0], "  "))
        for row in settings_rows(component.config_type):
            given = row.default if row.default == "required" else f"{row.default} by default"
            click.echo(f"  {row.name}: {row.type}, {given}")
            click.echo(_indented(row.text, "      "))


def _named(catalogue: Any, name: str) -> list[Any]:  # Any: Catalogue and Entry, imported lazily
    from aiops_core.errors import UserError
    from aiops_core.mistakes import near

    found = [
        entry
        for (kind, entry_name), entries in catalogue.entries.items()
        for entry in entries
        if entry_name == name
    ]
    if not found:
        known = list({entry_name for _, entry_name in catalogue.entries})
        raise UserError(f"{name}: not installed. {near(name, known)}")
    return found


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
