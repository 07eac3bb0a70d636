"""Models whose fields are documented by the string under them, as pydantic's ``use_attribute_docstrings`` does.

The strings stand in the source only: they are read where somebody asks for them, which no start does.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from aiops_core.text.python_syntax import parse_python

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class Documented(BaseModel):
    """Put what stands under each field into the JSON Schema."""

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in meanings(cls).items():
            info = cls.model_fields[name]
            properties.get(info.alias or name, {}).setdefault("description", text)
        return schema


def meanings(model: type[BaseModel]) -> Mapping[str, str]:
    """Return what each field means, by its name: its description, or the string under it."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, BaseModel) and kind not in {BaseModel, Documented}:
            found |= _under_fields(kind)
    described = {name: info.description for name, info in model.model_fields.items() if info.description}
    return {name: text for name, text in (found | described).items() if name in model.model_fields}


@cache
def _under_fields(kind: type[BaseModel]) -> Mapping[str, str]:
    try:
        text = inspect.getsource(sys.modules[kind.__module__])
    except (KeyError, OSError, TypeError):
        return {}  # the source is not there
    names = [name for name in kind.__qualname__.split(".") if name != "<locals>"]
    return dict(_texts(_defined(parse_python(text), names)))


def _defined(node: ast.AST | None, names: Iterable[str]) -> ast.AST | None:
    for name in names:
        below = ast.walk(node) if node else ()
        node = next((one for one in below if getattr(one, "name", "") == name), None)
    return node


def _texts(node: ast.AST | None) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(node.body if isinstance(node, ast.ClassDef) else ()):
        match field, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                yield name, inspect.cleandoc(text)
