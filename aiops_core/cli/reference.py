"""What the code says about itself: settings tables and the JSON Schema of a pipeline file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from aiops_core.budget import Amount
from aiops_core.catalogue import Catalogue
from aiops_core.component import KINDS
from aiops_core.config import Size, size_text
from aiops_core.documented import meanings
from aiops_core.errors import AiopsError, UserError
from aiops_core.settings import Config, Document, duration_text


class SettingRow(Struct, frozen=True):
    """One setting as documentation shows it."""

    name: str
    type: str
    default: str
    text: str


def settings_rows(config: type[Config]) -> list[SettingRow]:
    """Return the settings of a component in the order they are written."""
    rows, texts = [], meanings(config)
    for name, info in config.model_fields.items():
        value = info.get_default(call_default_factory=True)
        is_size = all(mark in info.metadata for mark in get_args(Size)[1:])
        default = size_text(value) if is_size and isinstance(value, int) else _default(value)
        kind = "size" if is_size else _type(info.annotation)
        default = "required" if info.is_required() else default
        rows.append(SettingRow(info.alias or name, kind, default, texts.get(name, "")))
    return rows


def _default(value: Any) -> str:  # Any: a default is of any type
    if value is None or value is PydanticUndefined or value in ("", [], {}, ()):
        return "none"
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, BaseModel):
        return "see its settings"
    return str(value)


_PLAIN = {
    timedelta: "duration",
    Size: "size",
    Amount: "amount",
    SecretStr: "secret",
    str: "text",
    int: "number",
    float: "number",
    bool: "true or false",
}


def _type(annotation: Any) -> str:  # Any: an annotation as pydantic holds it
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if get_origin(annotation) is list or get_origin(annotation) is tuple:
        return f"list of {_type(get_args(annotation)[0])}"
    if get_origin(annotation) is dict:
        return "mapping"
    if str(get_origin(annotation)) == "typing.Literal":
        return " or ".join(str(value) for value in get_args(annotation))
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    if arguments:
        return _type(arguments[0])
    name = getattr(annotation, "__name__", str(annotation))
    return "mapping" if isinstance(annotation, type) and issubclass(annotation, BaseModel) else name


def document_schema() -> dict[str, Any]:
    """Return the JSON Schema of a pipeline file for exactly the installed plugins."""
    schema = Document.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "aiops pipeline file"
    definitions = schema["$defs"]
    pipeline = definitions["PipelineConfig"]["properties"]
    catalogue = Catalogue()
    for kind in KINDS:
        base = definitions["ActionStep" if kind == "actions" else "Step"]
        choices = [_step_schema(catalogue, kind, name, base, definitions) for name in catalogue.names(kind)]
        local = {
            **base,
            "properties": {**base["properties"], "uses": {"type": "string", "pattern": r"\.py:\w+$"}},
        }
        names = {"type": "string", "enum": catalogue.names(kind)}
        pipeline[kind]["items"] = {"anyOf": [names, *(choice for choice in choices if choice), local]}
    return schema


def _step_schema(
    catalogue: Catalogue, kind: str, name: str, base: dict[str, Any], definitions: dict[str, Any]
) -> dict[str, Any] | None:
    try:
        component = catalogue.load(kind, name, Path.cwd())
    except AiopsError:
        return None  # shown by `aiops plugins --probe`
    settings = component.config_type.model_json_schema(
        by_alias=True, ref_template=f"#/$defs/{kind}.{name}.{{model}}"
    )
    for key, value in settings.pop("$defs", {}).items():
        definitions[f"{kind}.{name}.{key}"] = value
    properties = {**base["properties"], "uses": {"const": name}, "with": settings}
    required = ["uses", "with"] if settings.get("required") else ["uses"]
    return {**base, "title": name, "properties": properties, "required": required}


def settings_table(config: type[Config]) -> str:
    """Return the table of one Config class, "" when it has no setting."""
    rows = list(_rows(config, ""))
    return (
        "\n".join(["| setting | type | default | meaning |", "|---|---|---|---|", *rows]) + "\n"
        if rows
        else ""
    )


def _rows(config: type[Config], prefix: str) -> Iterator[str]:
    fields = {info.alias or name: info for name, info in config.model_fields.items()}
    for row in settings_rows(config):
        cells = (f"`{prefix}{row.name}`", cell(row.type), default_cell(row.default), cell(row.text))
        yield f"| {' | '.join(cells)} |"
        nested, is_list = nested_config(fields[row.name].annotation)
        if nested is not None and config is not Document and prefix.count(".") < 2:
            yield from _rows(nested, f"{prefix}{row.name}{'[]' if is_list else ''}.")


def nested_config(annotation: Any) -> tuple[type[Config] | None, bool]:  # Any: as pydantic holds it
    """Return the Config class inside an annotation, and whether a list of it is meant."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return annotation, False
    for argument in get_args(annotation):
        nested, is_list = nested_config(argument)
        if nested is not None:
            return nested, is_list or str(annotation).startswith(("list", "tuple"))
    return None, False


def default_cell(text: str) -> str:
    return text if text in {"none", "required", "see its settings"} else f"`{cell(text)}`"


def cell(text: str) -> str:
    """Return a text of the code as one cell of a table."""
    return re.sub(r"\s+", " ", text.replace("``", "`")).replace("|", "\\|").strip()


def between(path: Path, mark: str, text: str) -> str:
    """Return a file's text with what stands between two markers replaced; raise UserError without both."""
    start, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    old = path.read_text("utf-8") if path.is_file() else ""
    if start not in old or end not in old:
        raise UserError(f"{path}: no {start} and {end}. Add both markers")
    head, _, rest = old.partition(start)
    return f"{head}{start}\n{text}{end}{rest.partition(end)[2]}"


def put_settings(readme: Path, config: type[Config]) -> None:
    """Write the table of the settings between the markers of a README."""
    readme.write_text(between(readme, "settings", settings_table(config) or "None.\n"), "utf-8")
