"""What plugins may import is sorted, complete, and there."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import aiops_core
import aiops_core.analysis
import aiops_core.repair
import aiops_core.testing

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "module", [aiops_core, aiops_core.repair, aiops_core.testing], ids=lambda one: one.__name__
)
def test_exported_names_are_sorted_and_there(module):
    assert list(module.__all__) == sorted(module.__all__, key=by_case)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize(
    "module",
    [aiops_core, aiops_core.analysis, aiops_core.repair, aiops_core.testing],
    ids=lambda one: one.__name__,
)
def test_what_is_exported_lazily_is_what_type_checkers_see(module):
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    (checked,) = [node for node in tree.body if isinstance(node, ast.If)]

    seen = {
        alias.name for node in ast.walk(checked) if isinstance(node, ast.ImportFrom) for alias in node.names
    }

    assert seen == set(module._WHERE) == set(module.__all__) - {"__version__"}


@pytest.mark.parametrize("module", [aiops_core.analysis, aiops_core.repair], ids=lambda one: one.__name__)
def test_no_module_has_the_name_of_something_exported_lazily(module):
    # importing it would put the module in the place of the function
    modules = {path.stem for path in Path(module.__file__).parent.iterdir()}

    assert modules & set(module.__all__) == set()


def by_case(name):
    """Constants first, then classes, then functions: the order the linter asks for."""
    return not name.isupper(), not name[:1].isupper(), name


def test_importing_the_package_imports_none_of_its_rooms():
    code = "import sys, aiops_core; print(sorted(name for name in sys.modules if name.startswith('aiops_core.')))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_a_run_without_analyzers_and_targets_starts_without_what_they_need():
    code = "import sys, aiops_core.runner; print(*sys.modules, sep='\\n')"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    needless = {
        "aiops_core.analysis.answer",
        "aiops_core.isolation",
        "aiops_core.repair.proposing",
        "aiops_core.repair.request_action",
        "aiops_core.respond.talking",
        "aiops_core.text.report",
        "http.server",
    }
    assert needless & set(done.stdout.split()) == set()


def test_an_unknown_name_is_refused_like_any_module_s():
    with pytest.raises(AttributeError, match="module 'aiops_core' has no attribute 'Nothing'"):
        _ = aiops_core.Nothing


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            yield from ((alias.name, set()) for alias in node.names)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("plugins/*/*/aiops_*/*.py")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_plugins_import_the_public_doors_only(path):
    allowed = {"aiops_core", "aiops_core.repair"}

    ours = [(module, names) for module, names in imports_of(path) if module.split(".")[0] == "aiops_core"]

    assert [module for module, _ in ours if module not in allowed] == []
    for module, names in ours:
        assert names <= set(sys.modules[module].__all__)
