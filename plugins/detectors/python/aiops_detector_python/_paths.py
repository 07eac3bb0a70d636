"""Tell from a frame's file which module it is, and whose."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiops_core import lazy_pattern

_LIBRARY = lazy_pattern(
    r"(?:^|(?<=[/\\]))(?:site|dist)-packages[/\\]|[/\\]lib(?:64)?[/\\]python\d[\w.]*[/\\]|python\d+\.zip[/\\]"
    r"|[/\\]Python\d+(?:-\d+)?[/\\]lib[/\\]|^/var/(?:runtime|lang)/|^<(?!stdin>|module>|ipython|doctest|input)",
    re.IGNORECASE,
)
_FROZEN = lazy_pattern(r"<frozen ([\w.]+)>")


def is_library(file: str) -> bool:
    """Tell whether a file is of the standard library, an installed package or generated code."""
    return _LIBRARY.search(file) is not None


def is_under(file: str, places: Sequence[str]) -> bool:
    """Tell whether a path begins with one of these, or has one of them as whole folders within."""
    return any(file.startswith(place) or f"/{place.strip('/')}/" in f"/{file}" for place in places)


def module_of(file: str) -> str:
    """Return the dotted module where the path shows it, else the name of the file."""
    if file.startswith("<"):
        frozen = _FROZEN.match(file)
        return frozen[1] if frozen else ""
    path = file.replace("\\", "/")
    name = path[_last_library(path) or path.rfind("/") + 1 :]
    name = name.removesuffix(".py").removesuffix(".pyc").replace("/", ".")
    return name.removesuffix(".__init__")


def _last_library(path: str) -> int:
    end = 0
    for found in _LIBRARY.finditer(path):
        end = found.end()
    return end
