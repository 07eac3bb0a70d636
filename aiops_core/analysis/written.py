"""Written answers and rules: lists in YAML or JSON files, every mistake named by its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from msgspec import Struct
from pydantic import ValidationError

from aiops_core.config import Config
from aiops_core.errors import UserError

M = TypeVar("M", bound=Config)
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_LARGEST = 4 << 20


class Entry(Struct, Generic[M], frozen=True):
    """One entry of a file and where it stands."""

    place: str
    value: M


def read_entries(path: Path, model: type[M]) -> list[Entry[M]]:
    """Return the entries of a file, or of all YAML and JSON files of a directory in name order.

    Raise UserError that names every mistake as ``file:line: where: what``.
    """
    problems: list[str] = []
    found = [entry for file in _files(path) for entry in _entries(file, model, problems)]
    if problems:
        raise UserError("\n".join(problems))
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and file.is_file())
    if not files:
        raise UserError(f"{path}: no .yaml, .yml or .json file in this directory. Put one there.")
    return files


def _entries(file: Path, model: type[M], problems: list[str]) -> Iterator[Entry[M]]:
    values, line_of = _read(file)
    if not isinstance(values, list):
        problems.append(f"{file}:1: it holds no list. Write one entry after the other, each with a dash.")
        return
    for index, value in enumerate(values):
        try:
            entry = model.model_validate(value)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False):
                where = (index, *item["loc"])
                said = item["msg"].removeprefix("Value error, ")
                problems.append(f"{file}:{line_of(where)}: {_spell(where)}: {said}.")
        else:
            yield Entry(f"{file}:{line_of((index,))}: [{index}]", entry)


def _read(file: Path) -> tuple[Any, Callable[[tuple[Any, ...]], int]]:  # Any: whatever the file holds
    try:
        if file.stat().st_size > _LARGEST:
            raise UserError(f"{file}: it is larger than 4 MB. Split it.")
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: not UTF-8 at byte {error.start}. Save it as UTF-8.") from None
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}. Correct the path.") from None
    if file.suffix == ".json":
        return _read_json(file, text), lambda where: 1
    return _read_yaml(file, text)


def _read_json(file: Path, text: str) -> Any:  # Any: as above
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise UserError(f"{file}:{line}: no valid JSON: {getattr(error, 'msg', error)}.") from None


def _read_yaml(file: Path, text: str) -> tuple[Any, Callable[[tuple[Any, ...]], int]]:  # Any: as above
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return [], lambda where: 1
        _refuse_twice(file, node, 0, set())
        return loader.construct_document(node), lambda where: _line(node, where)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        said = getattr(error, "problem", None) or "it is nested too deep"
        raise UserError(f"{file}:{line}: no valid YAML: {said}.") from None
    finally:
        loader.dispose()


def _refuse_twice(file: Path, node: yaml.Node, depth: int, looked_at: set[int]) -> None:
    """Refuse a key that stands twice: YAML would keep the last one and say nothing.

    What aliases repeat is looked at once: it may stand there a million times.
    """
    if depth > 50:
        raise RecursionError
    if id(node) in looked_at:
        return
    looked_at.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twice(file, item, depth + 1, looked_at)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                line = key.start_mark.line + 1
                raise UserError(f"{file}:{line}: '{key.value}' is written twice. Keep one.")
            seen.add(str(key.value))
            _refuse_twice(file, value, depth + 1, looked_at)


def _line(node: yaml.Node, where: tuple[Any, ...]) -> int:  # Any: names and numbers
    """Return the line of a place, or of the nearest thing round it that is written."""
    for part in where:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == part), None)
            if inner is None:
                break
            node = inner
        else:
            break
    line: int = node.start_mark.line + 1
    return line


def _spell(where: tuple[Any, ...]) -> str:  # Any: names and numbers
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
