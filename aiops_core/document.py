"""Read a pipeline file: YAML in, values with their places in it and resolved secrets out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, SecretStr, ValidationError

from aiops_core.errors import DocumentError, Problem, UserError
from aiops_core.mistakes import mistake, near

Place = tuple[str | int, ...]
Spot = tuple[int, int]
"""Line and column in a file, both counted from 1; 0 where there is none."""
_REFERENCE = re.compile(r"\$\{(env|file|credential|secret):([^}]+)\}")
_LITERAL = "a secret must not stand in the file. Write ${env:NAME}, ${file:PATH} or ${secret:NAME}"
_STAND_IN = "https://stand-in.invalid/secret"
"""What takes the place of a reference where nothing is sent anywhere: fit to be an address, too."""
_CONTAINERS = (list, tuple, dict, Mapping, Sequence)


class Resolved(str):
    """Text that came through a reference: fit to be a secret, and kept out of every output."""


@dataclass(slots=True)
class Text:
    """The values of one YAML file and where each of them stands."""

    path: Path
    value: Any = field(default=None, repr=False)  # Any: whatever the YAML holds until a model has checked it
    spots: dict[Place, Spot] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set, repr=False)
    empty: dict[Place, str] = field(default_factory=dict)
    """Environment variables that are set, but to nothing, by the place that names them."""
    needs_secrets: bool = True

    def problem(self, place: Place, message: str, *, where: str | None = None) -> None:
        """Note a mistake at ``place`` (or the nearest place above it that is in the file)."""
        above = (place[:n] for n in range(len(place), -1, -1))
        spot = next((self.spots[one] for one in above if one in self.spots), (0, 0))
        self.problems.append(
            Problem(self.path.name, *spot, spell(place) if where is None else where, message)
        )

    def raise_problems(self) -> None:
        """Raise DocumentError when anything was noted."""
        if self.problems:
            raise DocumentError(list(dict.fromkeys(self.problems)))


def spell(place: Place) -> str:
    """Write a place the way people read it: ``detectors[0].with.levels``, without the pipeline."""
    if place[:1] == ("pipelines",) and len(place) > 2:
        place = place[2:]
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read(path: Path, *, environment: Mapping[str, str] | None = None, needs_secrets: bool = True) -> Text:
    """Read a YAML file; raise UserError when there is none, DocumentError when it is no YAML.

    ``${env:NAME}``, ``${file:PATH}``, ``${credential:NAME}`` (of systemd) and ``${secret:NAME}`` (of
    ``aiops secrets``) are replaced; a ``.env`` beside the file counts as environment where the real
    one is silent. Unset references become problems, not errors; where no secrets are needed a word
    takes the place of each that is missing.
    """
    try:
        source = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text at byte {error.start}. Save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}. Give the path of a pipeline file") from None
    text = Text(path, needs_secrets=needs_secrets)
    try:
        node = yaml.compose(source, yaml.SafeLoader)
    except yaml.YAMLError as error:
        spot, what = _yaml_mistake(error, source)
        raise DocumentError(
            [Problem(path.name, *spot, "", f"no valid YAML: {what}. Mend this line or the one before")]
        ) from None
    variables = {**dot_env(path.parent / ".env"), **(os.environ if environment is None else environment)}
    if node is None:
        text.value = {}
    else:
        text.value = _Builder(text, variables).build(node, ())
    return text


def _spot(mark: yaml.Mark | None) -> Spot:
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _yaml_mistake(error: yaml.YAMLError, source: str) -> tuple[Spot, str]:
    if isinstance(error, yaml.MarkedYAMLError):
        return _spot(error.problem_mark), ", ".join(filter(None, (error.context, error.problem)))
    if isinstance(error, yaml.reader.ReaderError):
        at = int(error.position)
        spot = source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at)
        return spot, f"the character U+{ord(source[at]):04X} is not allowed"
    return (0, 0), str(error)


class _Builder:
    """Turn YAML nodes into values, noting where they stand, duplicate keys and references."""

    def __init__(self, text: Text, variables: Mapping[str, str]) -> None:
        self._text = text
        self._variables = variables
        self._constructor = yaml.SafeLoader("")
        self._open: list[yaml.Node] = []

    def build(self, node: yaml.Node, place: Place) -> Any:  # Any: a YAML value
        self._text.spots.setdefault(place, _spot(node.start_mark))
        if any(node is one for one in self._open):
            self._text.problem(place, "stands for itself. Remove the alias")
            return None
        self._open.append(node)
        try:
            return self._value(node, place)
        except yaml.MarkedYAMLError as error:
            self._text.problem(place, f"no valid YAML: {error.problem}. Write plain values only")
        except ValueError as error:
            self._text.problem(place, f"no valid YAML: {error}. Put it in quotes if it is text")
        finally:
            self._open.pop()
        return None

    def _value(self, node: yaml.Node, place: Place) -> Any:  # Any: a YAML value
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*place, index)) for index, item in enumerate(node.value)]
        value = self._constructor.construct_object(node)
        return self._resolve(value, place) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        self._merge(node, place)
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            self._text.spots[(*place, key)] = _spot(key_node.start_mark)
            built[key] = self.build(value_node, (*place, key))
        return built

    def _merge(self, node: yaml.MappingNode, place: Place) -> None:
        """Let a mapping have the keys of those it merges (`<<`) but for its own; tell of own ones written twice."""
        lines: dict[str, int] = {}
        for key_node, _ in node.value:
            key, spot = self._key(key_node), _spot(key_node.start_mark)
            if key in lines:
                what = f"written twice, first in line {lines[key]}. Keep one"
                self._text.problems.append(Problem(self._text.path.name, *spot, spell((*place, key)), what))
            lines.setdefault(key, spot[0])
        self._constructor.flatten_mapping(node)
        node.value = list({self._key(pair[0]): pair for pair in node.value}.values())

    def _key(self, node: yaml.Node) -> str:
        if node.tag == "tag:yaml.org,2002:merge":
            return "<<"
        return str(self._constructor.construct_object(node, deep=True))

    def _resolve(self, value: str, place: Place) -> str:
        if "${" not in value:
            return value
        found = False

        def replace(match: re.Match[str]) -> str:
            nonlocal found
            found = True
            if not self._text.needs_secrets and not (match[1] == "env" and self._variables.get(match[2])):
                return _STAND_IN
            look_up = {
                "env": self._env,
                "file": self._file,
                "credential": self._credential,
                "secret": self._secret,
            }
            return look_up[match[1]](match[2], place)

        resolved = _REFERENCE.sub(replace, value)
        return Resolved(resolved) if found else value

    def _env(self, name: str, place: Place) -> str:
        value = self._variables.get(name)
        if value is None:
            self._text.problem(
                place,
                f"environment variable {name} is not set. Set it, or write it into .env beside this file",
            )
            return ""
        if not value.strip():
            self._text.empty[place] = name
        self._remember(value)
        return value

    def _file(self, name: str, place: Place) -> str:
        path = self._text.path.parent / Path(name).expanduser()
        try:
            value = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            self._text.problem(place, f"secret file {name}: {reason}. Create it or mend the path")
            return ""
        if not value:
            self._text.problem(place, f"secret file {name} is empty. Write the secret into it")
        self._remember(value)
        return value

    def _credential(self, name: str, place: Place) -> str:
        """Read what systemd handed over by LoadCredential= or SetCredential=."""
        directory = self._variables.get("CREDENTIALS_DIRECTORY")
        if not directory or "/" in name:
            self._text.problem(
                place,
                f"credential {name} is not there: systemd handed none over. Write LoadCredential={name}:PATH "
                "into the unit",
            )
            return ""
        return self._file(f"{directory}/{name}", place)

    def _secret(self, name: str, place: Place) -> str:
        from aiops_core.vault import Vault

        try:
            value = Vault(self._text.path.parent, self._variables).get(name)
        except UserError as error:
            self._text.problem(place, str(error))
            return ""
        self._remember(value)
        return value

    def _remember(self, value: str) -> None:
        if len(value) >= 4:
            self._text.secrets.add(value)


def dot_env(path: Path) -> dict[str, str]:
    """Return the variables of a file of lines NAME=VALUE, none where there is no such file."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            value = value.strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            pairs[name.strip()] = value
    return pairs


def check(
    model: type[BaseModel], value: Any, text: Text, place: Place, *, where: str | None = None
) -> BaseModel | None:
    """Check ``value`` against a model; note every mistake in ``text`` and return None when there is one."""
    count = len(text.problems)
    try:
        built = model.model_validate(value)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            _note(model, item, text, place, where)
        _check_literals(model, value, text, place)
        return None
    _check_secrets(built, value, text, place)
    return built if len(text.problems) == count else None


def _note(
    model: type[BaseModel], item: Any, text: Text, place: Place, where: str | None
) -> None:  # Any: pydantic's own
    location: Place = tuple(
        part for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-"))
    )
    full = (*place, *location)
    if item["type"] == "extra_forbidden":
        name, label = str(location[-1]), where or spell(full[:-1])
        gone = _gone_at(model, location[:-1]).get(name)
        unknown = f"unknown setting '{name}'. {near(name, _settings_at(model, location[:-1]))}"
        text.problem(full, f"{name}: {gone}" if gone else unknown, where=label)
        return
    if item["type"] == "missing":
        text.problem(
            full[:-1], f"setting '{location[-1]}' is missing. Add it", where=where or spell(full[:-1])
        )
        return
    label = ": ".join(filter(None, (where, spell(location)))) if where else spell(full)
    text.problem(full, mistake(item), where=label)


def _models_at(
    annotation: Any, location: Place
) -> list[type[BaseModel]]:  # Any: types as pydantic holds them
    for part in location:
        annotation = next(iter(_inside(annotation, part)), None)
    return list(_models(annotation))


def _settings_at(annotation: Any, location: Place) -> list[str]:  # Any: types as pydantic holds them
    """Return the names of the settings a mapping at ``location`` may have."""
    models = _models_at(annotation, location)
    return [info.alias or name for model in models for name, info in model.model_fields.items()]


def _gone_at(annotation: Any, location: Place) -> Mapping[str, str]:  # Any: types as pydantic holds them
    """Return what is said of settings that a mapping at ``location`` has no more."""
    models = _models_at(annotation, location)
    return {name: said for model in models for name, said in getattr(model, "gone", {}).items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # Any: types as pydantic holds them
    """Yield ``annotation`` itself, or the models of ``Model | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) not in _CONTAINERS:
        for argument in get_args(annotation):
            yield from _models(argument)


def _inside(annotation: Any, part: str | int) -> Iterator[Any]:  # Any: types as pydantic holds them
    """Yield what ``part`` may be: a field of a model, an item of a list or of a mapping."""
    for model in _models(annotation):
        yield from (
            info.annotation for name, info in model.model_fields.items() if part in (name, info.alias)
        )
    items = get_args(annotation)
    if get_origin(annotation) in _CONTAINERS:
        yield items[0] if get_origin(annotation) is tuple else items[-1]
    else:
        for argument in items:
            if get_origin(argument) in _CONTAINERS:
                yield from _inside(argument, part)


def _check_literals(annotation: Any, raw: Any, text: Text, place: Place) -> None:
    """Refuse a secret that stands in a part that cannot be built, by its type alone."""
    if isinstance(raw, str):
        is_secret = annotation is SecretStr or SecretStr in get_args(annotation)
        if is_secret and raw and not isinstance(raw, Resolved):
            text.problem(place, _LITERAL)
        return
    parts = raw.items() if isinstance(raw, Mapping) else enumerate(raw) if isinstance(raw, list) else ()
    for key, part in parts:
        for inner in _inside(annotation, key):
            _check_literals(inner, part, text, (*place, key))


def _check_secrets(
    built: Any, raw: Any, text: Text, place: Place
) -> None:  # Any: checked and raw values side by side
    """Refuse a secret that stands in the file itself."""
    if isinstance(built, SecretStr):
        if not isinstance(raw, Resolved) and raw:
            text.problem(place, _LITERAL)
        elif not str(raw or "").strip() and (name := text.empty.get(place)):
            text.problem(place, f"environment variable {name} is empty. Set it to the secret")
    elif isinstance(built, BaseModel) and isinstance(raw, Mapping):
        for name, info in type(built).model_fields.items():
            key = info.alias if info.alias and info.alias in raw else name
            if key in raw:
                _check_secrets(getattr(built, name), raw[key], text, (*place, key))
    elif isinstance(built, Mapping) and isinstance(raw, Mapping):
        for key in built:
            _check_secrets(built[key], raw.get(key), text, (*place, key))
    elif isinstance(built, list | tuple) and isinstance(raw, list):
        for index, (item, part) in enumerate(zip(built, raw, strict=False)):
            _check_secrets(item, part, text, (*place, index))
