"""What a fix imports: the language, the repository or what it depends on already; a person decides on more (S34).

Compiled languages tell by themselves. Python and JavaScript find out where the line runs, which may
be where no test goes, and a name a model made up may be one that somebody registered.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Collection, Iterator

from aiops_core.errors import Refused
from aiops_core.text.python_syntax import parse_python

_NODE = frozenset(
    [
        "assert",
        "async_hooks",
        "buffer",
        "child_process",
        "cluster",
        "console",
        "constants",
        "crypto",
        "dgram",
        "diagnostics_channel",
        "dns",
        "domain",
        "events",
        "fs",
        "http",
        "http2",
        "https",
        "inspector",
        "module",
        "net",
        "os",
        "path",
        "perf_hooks",
        "process",
        "punycode",
        "querystring",
        "readline",
        "repl",
        "stream",
        "string_decoder",
        "sys",
        "timers",
        "tls",
        "trace_events",
        "tty",
        "url",
        "util",
        "v8",
        "vm",
        "wasi",
        "worker_threads",
        "zlib",
    ]
)
_JAVASCRIPT = re.compile(r"[cm]?[jt]sx?|vue|svelte")
_SPECIFIER = re.compile(
    r"""(?:\bfrom\s*|\brequire\(\s*|\bimport\(\s*|\bimport\s+)(['"])((?:@[\w.-]+/)?\w[\w.-]*)(?:/[^'"\n]*)?\1"""
)
_STATEMENT = re.compile(r"^\ufeff?[ \t]*(?:import|from)[ \t]+([^\W\d]\w*)", re.MULTILINE)


def check_imports(path: str, before: str, after: str, is_known: Callable[[str], bool]) -> None:
    """Refuse a file that imports, after a fix, a package for which ``is_known`` has no good word."""
    for name in sorted(set(_imported(path, after)) - set(_imported(path, before))):
        if not is_known(name):
            raise Refused(
                f"{path}: the fix imports {name!r}, which neither the language nor the repository has, and a new "
                "dependency needs a person. Do with what is there.",
                rule="new-dependency",
            )


def is_own(name: str, paths: Collection[str]) -> bool:
    """Return whether one of the paths is the module or package of that name, or lies below it."""
    own = re.compile(rf"(?:.*/)?{re.escape(name)}(?:/.*|\.\w+)")
    return any(own.fullmatch(path) for path in paths)


def has_import(line: str, name: str) -> bool:
    """Return whether a line of code imports a package."""
    return (
        re.search(rf"\b(?:import|from|require)\b.*(?<![\w./-]){re.escape(name)}(?![\w-])", line) is not None
    )


def has_name(text: str, name: str) -> bool:
    """Return whether a manifest or a command names a package, as in ``PyYAML`` for ``yaml``."""
    spelled = re.escape(name).replace("_", "[_-]")
    return re.search(rf"(?<![\w./-])(?:py|python-)?{spelled}(?![\w-])", text, re.IGNORECASE) is not None


def _imported(path: str, text: str) -> Iterator[str]:
    """Yield the packages that a file imports and the language does not bring."""
    kind = path.rpartition(".")[2].lower()
    if kind in ("py", "pyi"):
        yield from (name for name in _python(text) if name not in sys.stdlib_module_names)
    elif _JAVASCRIPT.fullmatch(kind):
        names = (match[2] for match in _SPECIFIER.finditer(text))
        yield from (name for name in names if name not in _NODE)


def _python(text: str) -> Iterator[str]:
    tree = parse_python(text)
    if tree is None:  # of a newer Python, maybe
        yield from _STATEMENT.findall(text)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
