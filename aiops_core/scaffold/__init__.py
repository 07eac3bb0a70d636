"""A first version of a plugin that works: a package of its own, or a single file beside a pipeline."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.resources import files

from msgspec import Struct

from aiops_core import __version__
from aiops_core.errors import UserError

KINDS: Mapping[str, str] = {
    "source": "Source",
    "detector": "Errors",
    "analyzer": "Analyzer",
    "action": "Action",
    "notifier": "Notifier",
    "extension": "Extension",
}
"""What can be made, and how its class is called after the name."""
_SENTENCES = {
    "source": ("Reads what {} writes.", "Goes on where it stopped, whatever ended it.", "change the file it reads."),
    "detector": ("Finds the errors of {}.", "One event for an error, with its detail lines.", "read a line twice."),
    "analyzer": ("Explains errors that {} knows.", "Gives the written remedy.", "answer for errors it does not know."),
    "action": ("Writes a ticket for every incident.", "One ticket an incident.", "write without an approved plan."),
    "notifier": ("Tells people through {}.", "One message a report, retried until it is taken.", "show its token."),
    "extension": ("Tells analyzers who owns a service.", "Adds one line of evidence.", "reach for the network."),
}  # fmt: skip
_TESTED_WITH = {
    "source": ("Bench, contract", "Context"),
    "detector": ("contract", ""),
    "analyzer": ("contract", ""),
    "action": ("Bench, contract", ""),
    "notifier": ("Bench, HttpPeer, Reply, contract, samples", "Retry"),
    "extension": ("contract", ""),
}


class Plugin(Struct, frozen=True):
    """What is to be made: a component of a kind under a name, in a package or a single file."""

    kind: str
    name: str
    is_single: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"{self.kind}: no kind of plugin. Write one of {', '.join(KINDS)}")
        if not _is_name(self.name):
            near = re.sub(r"\W+", "_", self.name.lower()).strip("_")
            proposal = near if _is_name(near) else "press_line"
            raise UserError(
                f"{self.name}: no name of a plugin. Write small letters, digits and _, as in {proposal}"
            )

    @property
    def distribution(self) -> str:
        """What pip installs."""
        return f"aiops-plugin-{self.name.replace('_', '-')}"

    @property
    def package(self) -> str:
        """What Python imports."""
        return f"aiops_{self.kind}_{self.name}"

    @property
    def class_name(self) -> str:
        """The component's class."""
        return "".join(part.title() for part in self.name.split("_")) + KINDS[self.kind]

    @property
    def component(self) -> str:
        """Path of the file with the class, from the folder that is written."""
        return f"{self.name}.py" if self.is_single else f"{self.package}/{self.kind}.py"


def _is_name(name: str) -> bool:
    is_python = name.isidentifier() and not keyword.iskeyword(name)
    return is_python and name == name.lower() and not name.startswith("_")


def written_files(plugin: Plugin) -> dict[str, str]:
    """Return the files of the plugin by their path in the folder that is written."""
    words = _words(plugin)
    component, example, test = (
        _rendered(f"{plugin.kind}/{name}", words) for name in ("component.py", "example.yaml", "test.py")
    )
    if plugin.is_single:
        return {
            f"{plugin.name}.py": component,
            f"{plugin.name}.yaml": example,
            f"test_{plugin.name}.py": test,
        }
    return {
        "pyproject.toml": _rendered("package/pyproject.toml", words),
        "README.md": _rendered("package/README.md", words),
        "example.yaml": example,
        f"{plugin.package}/__init__.py": _rendered("package/__init__.py", words),
        f"{plugin.package}/py.typed": "",
        plugin.component: component,
        f"tests/test_{plugin.name}.py": test,
    }


def _words(plugin: Plugin) -> dict[str, str]:
    sentence, detail, never = _SENTENCES[plugin.kind]
    single = plugin.is_single
    local = f"./{plugin.name}.py:{plugin.class_name}"
    return {
        "name": plugin.name,
        "upper": plugin.name.upper(),
        "kind": plugin.kind,
        "module": plugin.kind,
        "distribution": plugin.distribution,
        "package": plugin.package,
        "class_name": plugin.class_name,
        "core": ".".join(__version__.split(".")[:2]),
        "sentence": sentence.format(plugin.name),
        "detail": detail,
        "never": never,
        "uses": local if single else plugin.name,
        "test_uses": f'"{local}"' if single else plugin.name,
        "imports": _imports(plugin),
        "example": f', example=Path(__file__).with_name("{plugin.name}.yaml")' if single else "",
        "files": f', {{"{plugin.name}.py": SOURCE}}' if single else "",
        "more_files": f', "{plugin.name}.py": SOURCE' if single else "",
    }


def _imports(plugin: Plugin) -> str:
    """Return the imports of the test, and where a single file's pipelines get it from."""
    testing, core = _TESTED_WITH[plugin.kind]
    config = f", {plugin.class_name}Config" if plugin.kind in {"source", "notifier", "extension"} else ""
    home = plugin.name if plugin.is_single else f"{plugin.package}.{plugin.kind}"
    lines = [
        f"from aiops_core import {core}" if core else "",
        f"from aiops_core.testing import {testing}",
        f"from {home} import {plugin.class_name}{config}",
    ]
    if plugin.is_single:
        lines.insert(0, "from pathlib import Path\n")
        lines.append(f'\nSOURCE = Path(__file__).with_name("{plugin.name}.py").read_text()')
    return "\n".join(line for line in lines if line) + "\n"


def _rendered(template: str, words: Mapping[str, str]) -> str:
    from jinja2 import Environment, StrictUndefined

    text = (files("aiops_core.scaffold") / "templates" / f"{template}.jinja").read_text("utf-8")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701 - code, not HTML
    return environment.from_string(text).render(words)
