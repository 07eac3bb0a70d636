"""Write the generated parts of the documentation; with --check only name those that are stale."""

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import click

from aiops_core import errors, hooks
from aiops_core.catalogue import Catalogue, Entry
from aiops_core.cli import COMMANDS, cli
from aiops_core.cli.reference import between, cell, default_cell, nested_config, settings_rows, settings_table
from aiops_core.component import KINDS, Component
from aiops_core.repository.errors import REMEDIES
from aiops_core.settings import Config, Document

ROOT = Path(__file__).resolve().parent.parent
NOTE = "<!-- Written by scripts/docs.py from the code; run make docs after a change there. -->\n"


def main(arguments: list[str]) -> int:
    """Write what is stale; with --check name it and return 1."""
    stale = [(path, text) for path, text in pages() if not _holds(path, text)]
    if "--check" in arguments:
        for path, _ in stale:
            sys.stderr.write(f"{path.relative_to(ROOT)}: not as the code says. Run make docs\n")
        return 1 if stale else 0
    for path, text in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}: written\n")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


def pages() -> Iterator[tuple[Path, str]]:
    """Yield every file with a generated part and what it should hold."""
    components = list(_components())
    yield ROOT / "README.md", between(ROOT / "README.md", "plugins", plugin_table(components))
    for folder in sorted({folder for folder, _, _ in components}):
        own = [(entry, loaded) for of, entry, loaded in components if of == folder]
        yield folder / "README.md", between(folder / "README.md", "settings", plugin_settings(own))
    troubles = ROOT / "docs" / "troubleshooting.md"
    yield troubles, between(troubles, "git-errors", git_errors_table())
    yield ROOT / "docs" / "requirements.md", requirements_page(ROOT / "docs" / "requirements.md")
    reference = ROOT / "docs" / "reference"
    yield reference / "hooks.md", hooks_page()
    yield reference / "commands.md", commands_page()
    yield reference / "settings.md", settings_page()
    yield reference / "errors.md", errors_page(errors, "aiops_core", *_plugin_packages())


def requirements_page(path: Path) -> str:
    """Return the page of requirements, each row with the files whose tests carry its number."""
    shown = dict[str, list[str]]()
    for file in sorted([*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("plugins/*/*/tests/test_*.py")]):
        names = re.findall(r"^ *def test((?:_[rs]\d+)+)_", file.read_text("utf-8"), re.MULTILINE)
        for number in {number for name in names for number in name.upper().split("_") if number}:
            shown.setdefault(number, []).append(file.relative_to(ROOT).as_posix())

    def row(match: re.Match[str]) -> str:
        files = shown.get(match[1], [])
        linked = ", ".join(f"[{file}](../{file})" for file in files) or "–"
        return f"| {match[1]} | {match[2]} | {linked} |"

    return re.sub(r"^\| ([RS]\d+) \| (.*?) \| .* \|$", row, path.read_text("utf-8"), flags=re.MULTILINE)


def git_errors_table() -> str:
    """Return what the failures of git mean and what to do about each."""
    rows = [f"| {cell(meaning)} | {cell(remedy)} |" for meaning, remedy in REMEDIES.values()]
    return "\n".join(["| it means | do |", "|---|---|", *rows]) + "\n"


def _components() -> Iterator[tuple[Path, Entry, type[Component[Any]]]]:
    """Yield folder, entry and class of each component of this tree, kind by kind."""
    catalogue = Catalogue()
    folders = _plugin_packages()
    for kind in KINDS:
        for entry in (entry for name in catalogue.names(kind) for entry in catalogue.entries[kind, name]):
            package = entry.target.partition(":")[0].partition(".")[0]
            if package in folders:
                yield folders[package], entry, entry.load()


def _plugin_packages() -> dict[str, Path]:
    """Return the packages of the plugins of this tree by their names, each with the folder it is in."""
    return {path.name: path.parent for path in sorted((ROOT / "plugins").glob("*/*/aiops_*"))}


def plugin_table(components: list[tuple[Path, Entry, type[Component[Any]]]]) -> str:
    """Return the table of the plugins of this tree."""
    lines = ["| kind | name | what it does | in |", "|---|---|---|---|"]
    for folder, entry, loaded in components:
        where = folder.relative_to(ROOT).as_posix()
        sentence = cell(_doc(loaded).partition("\n\n")[0])
        lines.append(
            f"| {entry.kind} | [{entry.name}]({where}/README.md) | {sentence} | {entry.distribution} |"
        )
    return "\n".join(lines) + "\n"


def plugin_settings(components: list[tuple[Entry, type[Component[Any]]]]) -> str:
    """Return the settings tables of one plugin's components."""
    parts = []
    for entry, loaded in components:
        table = settings_table(loaded.config_type) or "None.\n"
        parts.append(f"### {entry.name}\n\n{table}" if len(components) > 1 else table)
    return "\n".join(parts)


def settings_page() -> str:
    """Return the reference of the pipeline file's own keys."""
    parts = [
        NOTE,
        "# The pipeline file\n",
        "The settings of a component stand in the README of its plugin. `aiops schema` prints the same as JSON\n"
        "Schema, plugins included; the documentation site has it as `reference/pipeline.schema.json`. An editor that\n"
        "knows it completes and checks what is written: begin the file with\n"
        "`# yaml-language-server: $schema=pipeline.schema.json`. Unknown keys and keys written twice are refused.\n",
        "A duration is a number with `ms`, `s`, `m`, `h` or `d` (`90s`, `24h`); a size is a number with `KB`, `MB`\n"
        "or `GB`; an amount is money, tokens or calls (`5 USD`, `200k tokens`, `7 calls`), or several with commas\n"
        "between. `${env:NAME}` and `${file:PATH}` stand for a value from the environment or a file; a secret can\n"
        "only be written that way. A `.env` beside the pipeline file is read where the environment is silent.\n",
    ]
    for model, places in _models().items():
        heading = f"## `{places[0]}`" if places[0] else "## Top level"
        also = f" The same at {', '.join(f'`{place}`' for place in places[1:])}." if len(places) > 1 else ""
        parts.append(f"{heading}\n\n{_text(_doc(model))}{also}\n\n{_flat_table(model)}")
    return "\n".join(parts)


def _models() -> dict[type[Config], list[str]]:
    """Return each model of the pipeline file with the places where it is written."""
    places: dict[type[Config], list[str]] = {}
    waiting: list[tuple[str, type[Config]]] = [("", Document)]
    while waiting:
        where, model = waiting.pop(0)
        places.setdefault(model, []).append(where)
        if len(places[model]) > 1:
            continue
        for name, info in model.model_fields.items():
            nested, is_list = nested_config(info.annotation)
            if nested is not None:
                key = "pipelines.<name>" if (model, name) == (Document, "pipelines") else name
                waiting.append((f"{where}.{key}".lstrip(".") + ("[]" if is_list else ""), nested))
    return places


def _flat_table(model: type[Config]) -> str:
    lines = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for row in settings_rows(model):
        meaning = cell(_said(f"{model.__name__}.{row.name}", row.text))
        cells = (f"`{row.name}`", cell(row.type), default_cell(row.default), meaning)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def hooks_page() -> str:
    """Return the reference of the hooks, in the words of their specifications."""
    parts = [NOTE, "# Hooks\n", _text(_doc(hooks)) + "\n"]
    for title, specs in (("Stages", hooks.Stages), ("Observers", hooks.Observers)):
        parts.append(f"## {title}\n\n{_text(_doc(specs))}\n")
        for name, function in vars(specs).items():
            if not name.startswith("_"):
                parts.append(_hook(name, function))
    return "\n".join(parts)


def _hook(name: str, function: Any) -> str:  # Any: a function as a class holds it
    kinds = [
        kind
        for kind, base in KINDS.items()
        if any(hasattr(one, name) for one in (base, *base.__subclasses__()))
    ]
    of = ", ".join(kinds) or "extensions"
    signature = inspect.signature(function)
    arguments = [str(one) for one in signature.parameters.values() if one.name != "self"]
    call = f"{name}({', '.join(arguments)}) -> {signature.return_annotation}".replace("'", "")
    return f"### {name}\n\nOf {of}.\n\n```text\n{call}\n```\n\n{_text(_doc(function))}\n"


def commands_page() -> str:
    """Return the reference of the command line, in the words of its help."""
    parts = [
        NOTE,
        "# Commands\n",
        "Exit codes: 0 all went well, 1 the fault is ours, or sources or plugins failed in a run with --once, 2 something\n"
        "you wrote or set up is wrong.\n",
    ]
    for path, command in _commands(cli, ("aiops",)):
        parts.append(_command(path, command))
    return "\n".join(parts)


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group, info_name=" ".join(path))
    for name in COMMANDS if group is cli else group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise SystemExit(f"{' '.join((*path, name))}: no such command. Mend the entry in aiops_core.cli")
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


def _command(path: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(path))
    usage = " ".join((*path, *command.collect_usage_pieces(context)))
    parts = [
        f"## {' '.join(path)}\n",
        f"```text\n{usage}\n```\n",
        _text(_said(" ".join(path), command.help)) + "\n",
    ]
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    if options:
        rows = [
            f"| `{_option(one)}` | {cell(_said(f'{path[-1]} {one.opts[0]}', one.help))} |" for one in options
        ]
        parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _option(option: click.Option) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    if option.is_flag or option.count:
        return names
    if isinstance(option.type, click.Choice):
        return f"{names} {' or '.join(map(str, option.type.choices))}"
    return f"{names} {option.metavar or option.type.name.upper()}"


def errors_page(module: ModuleType, *packages: str) -> str:
    """Return the reference of the exceptions of a module, and of their kinds that packages define elsewhere."""
    introduction, _, tree = _doc(module).partition("\n\n")
    own = [
        one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__
    ]
    parts = [NOTE, "# Errors\n", introduction + "\n", f"```text\n{tree}\n```\n", *map(_error, own)]
    parts += [_error(one, f", in `{one.__module__}`") for one in _kinds_elsewhere(own, packages)]
    return "\n".join(parts)


def _error(error: type, where: str = "") -> str:
    of = "" if not issubclass(error, Exception) else f"A kind of `{error.__bases__[0].__name__}`{where}. "
    return f"## {error.__name__}\n\n{of}{_text(_doc(error))}\n"


def _kinds_elsewhere(known: list[type], packages: tuple[str, ...]) -> list[type]:
    """Return the public kinds of known exceptions that the modules of packages define, by name."""
    modules = {name for package in packages for name in _imported(package)}
    found, waiting = set(known), list(known)
    while waiting:
        kinds = set(waiting.pop().__subclasses__()) - found
        found |= kinds
        waiting += kinds
    public = {one for one in found - set(known) if one.__module__ in modules and one.__name__[0] != "_"}
    return sorted(public, key=lambda one: (one.__name__, one.__module__))


def _imported(package: str) -> Iterator[str]:
    """Import every module of a package, since only then its classes are known; yield their names."""
    yield package
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not found.name.endswith(".__main__"):
            importlib.import_module(found.name)
            yield found.name


def _doc(of: type | ModuleType | FunctionType) -> str:
    made = is_dataclass(of) and (of.__doc__ or "").startswith(f"{of.__name__}(")  # from its fields
    return _said(getattr(of, "__qualname__", of.__name__), "" if made else of.__doc__)


def _said(what: str, text: str | None) -> str:
    """Return what the code says about itself; stop where it says nothing."""
    said = inspect.cleandoc(text or "").strip()
    if not said:
        raise SystemExit(f"{what}: is not documented. Write its docstring, or the help of an option")
    return said


def _text(text: str) -> str:
    return text.replace("``", "`")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
