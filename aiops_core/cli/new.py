"""aiops new: a first version of a plugin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aiops_core.scaffold import Plugin


@click.command()
@click.argument("kind")
@click.argument("name")
@click.option(
    "--single-file", is_flag=True, help="Write one file to use beside a pipeline, instead of a package."
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write into; a new one named after the plugin, or this one for a single file.",
)
def new(kind: str, name: str, single_file: bool, directory: Path | None) -> None:
    """Write a plugin that works, for you to change.

    KIND is source, detector, analyzer, action, notifier or extension; NAME is what pipelines use it
    by. The folder holds the component, an example pipeline, a README with the settings, the contract
    of its kind and a test on real lines, which pass at once. With --single-file it is one file that a
    pipeline uses as ./NAME.py:Class, with its example and test. Nothing that is there is overwritten.
    """
    from aiops_core.errors import UserError
    from aiops_core.scaffold import Plugin, written_files

    plugin = Plugin(kind, name, single_file)
    _refuse_taken(plugin)
    folder = directory or (Path() if single_file else Path(plugin.distribution))
    texts = written_files(plugin)
    if there := [path for path in texts if (folder / path).exists()]:
        raise UserError(
            f"{folder / there[0]}: is there already, and stays as it is. Choose another --directory"
        )
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    if not single_file:
        _write_settings(folder, plugin.component, f"{kind}s", plugin.class_name)
    for path in texts:
        click.echo(f"wrote {folder / path}")
    first = "pip install 'aiops-core[testing]'" if single_file else f"cd {folder} && pip install -e '.[test]'"
    tests = f"pytest {folder / f'test_{name}.py'}" if single_file else "pytest"
    click.echo(f"next: {first} && {tests}")


def _refuse_taken(plugin: Plugin) -> None:
    """Refuse a name that something here has: of two with one name neither can be used, or imported."""
    from aiops_core.catalogue import Catalogue
    from aiops_core.errors import UserError

    if plugin.is_single:
        if plugin.name in sys.stdlib_module_names:
            raise UserError(f"{plugin.name}: a module of Python has this name. Choose another")
        return
    for (kind, name), entries in Catalogue().entries.items():
        for entry in entries:
            package = entry.target.partition(":")[0].partition(".")[0]
            if (kind, name) == (f"{plugin.kind}s", plugin.name) or package == plugin.package:
                raise UserError(f"{plugin.name}: taken by {entry.label}. Choose another name")


def _write_settings(folder: Path, component: str, kind: str, class_name: str) -> None:
    from aiops_core.catalogue import load_file
    from aiops_core.cli.reference import put_settings

    loaded = load_file(kind, f"{component}:{class_name}", folder)
    put_settings(folder / "README.md", loaded.config_type)
