"""The documentation says what the code does, and what it shows works."""

import dataclasses
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner
from shown import BLOCK, PAGES, ROOT, follow, shown

from aiops_core import errors, hooks, replace
from aiops_core.cli import COMMANDS, cli
from aiops_core.pipeline import load
from aiops_core.repository.errors import GitError
from aiops_core.settings import Document, PipelineConfig

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
REFERENCE = re.compile(r"\$\{env:(\w+)\}")
OUR_PIPELINES = [page for page in PAGES if "plugins" not in page.relative_to(ROOT).parts]
EXAMPLES = sorted((ROOT / "plugins").glob("*/*/example.yaml"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def links(page: Path) -> list[str]:
    prose = BLOCK.sub("", page.read_text("utf-8"))
    return [target for target in LINK.findall(prose) if "://" not in target]


def blocks(page: Path, language: str) -> list[str]:
    return [block.text for block in shown(page) if block.language == language and not block.file]


def named_in(path: Path) -> set[str]:
    return set(re.findall(r"^\s*(?:async )?def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE))


def command_paths(group, path=("aiops",)):
    names = COMMANDS if group is cli else group.list_commands(None)
    for name, command in sorted((name, group.get_command(None, name)) for name in names):
        yield " ".join((*path, name))
        if hasattr(command, "list_commands"):
            yield from command_paths(command, (*path, name))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_that_are_there(page):
    targets = [target.partition("#")[0] for target in links(page)]

    missing = [target for target in targets if target and not (page.parent / target).exists()]

    assert missing == []


def test_every_guarantee_is_shown_by_a_test_that_is_there():
    page = ROOT / "docs" / "guarantees.md"
    shown = [target.split("#") for target in links(page) if "#" in target]

    missing = [
        f"{path}#{test}"
        for path, test in shown
        if not (page.parent / path).is_file() or test not in named_in(page.parent / path)
    ]

    assert len(shown) > 40
    assert missing == []


def test_every_row_of_the_guarantees_names_a_test():
    rows = [
        line
        for line in (ROOT / "docs" / "guarantees.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| promise")
    ]

    assert [row for row in rows if "#test_" not in row] == []


@pytest.mark.parametrize(
    "page",
    [page for page in OUR_PIPELINES if any(block.language == "yaml" for block in shown(page))],
    ids=name_of,
)
def test_pipelines_that_are_shown_are_fine(page, tmp_path, monkeypatch):
    surroundings(page, tmp_path)

    for number, text in enumerate(block.text for block in shown(page) if block.language == "yaml"):
        for name in REFERENCE.findall(text):
            monkeypatch.setenv(name, "a-key")
        path = tmp_path / f"block-{number}.yaml"
        path.write_text(text, "utf-8")
        result = CliRunner().invoke(cli, ["check", str(path)])
        assert result.exit_code == 0, f"{text}\n{result.output}{result.exception}"


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_examples_of_plugins_are_fine(example, monkeypatch):
    for name in REFERENCE.findall(example.read_text("utf-8")):
        monkeypatch.setenv(name, f"value-of-{name.lower()}")

    loaded = load(example)

    assert [
        action.mode
        for one in loaded.pipelines
        for action in one.of_kind("actions")
        if action.mode != "dry_run"
    ] == []


def test_every_plugin_has_an_example_and_a_readme():
    folders = {package.parent for package in (ROOT / "plugins").glob("*/*/aiops_*")}

    bare = [
        name_of(folder)
        for folder in sorted(folders)
        if not (folder / "README.md").is_file() or not (folder / "example.yaml").is_file()
    ]

    assert bare == []


def test_the_detector_of_the_readme_finds_what_the_readme_says(tmp_path, monkeypatch):
    surroundings(ROOT / "README.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    shown = next(text for text in blocks(ROOT / "README.md", "text") if text.startswith("count"))

    result = CliRunner().invoke(cli, ["scan", "-d", "./billing.py:BillingErrors", "billing.log"])

    printed = result.output.replace(str(tmp_path), "…")
    assert [line.split() for line in printed.splitlines()] == [line.split() for line in shown.splitlines()]


def test_the_billing_pipeline_of_the_readme_runs(tmp_path):
    surroundings(ROOT / "README.md", tmp_path)
    pipeline = next(text for text in blocks(ROOT / "README.md", "yaml") if "billing" in text)
    (tmp_path / "billing.yaml").write_text(pipeline, "utf-8")
    command = [
        sys.executable,
        "-c",
        "from aiops_core.cli import main; main()",
        "run",
        "--once",
        "billing.yaml",
    ]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert "E42: card declined" in done.stdout


def test_what_the_readme_tells_a_newcomer_to_type_works_in_an_empty_directory(tmp_path):
    [block] = [one for one in shown(ROOT / "README.md") if "aiops init" in one.text]
    install, *lines, run = block.text.splitlines()
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "app.py", tmp_path / "examples")

    follow(
        [dataclasses.replace(block, text="\n".join([*lines, run.replace("aiops run", "aiops run --once")]))],
        tmp_path,
    )

    assert install == "pip install ."
    assert (tmp_path / "state").is_dir()


def surroundings(page: Path, directory: Path) -> None:
    """Put the files beside the page's pipelines that they name."""
    for block in shown(page):
        if block.file and block.language != "yaml":
            (directory / block.file).parent.mkdir(parents=True, exist_ok=True)
            (directory / block.file).write_text(block.text, "utf-8")
    (directory / "answer.yaml").write_text(
        "- match: {type: KeyError}\n  answer: {title: a, summary: b, root_cause: c, repair_steps: [d], confidence: 0.5}\n"
    )
    for text in blocks(page, "python"):
        compile(text, str(page), "exec")
        if "class BillingErrors" in text:
            (directory / "billing.py").write_text(text, "utf-8")
    for text in blocks(page, "text"):
        if text.startswith("invoice"):
            (directory / "billing.log").write_text(text, "utf-8")


def test_the_pipeline_at_the_top_of_the_readme_is_twelve_lines():
    first = blocks(ROOT / "README.md", "yaml")[0]

    assert len(first.splitlines()) == 12


def test_every_hook_is_in_the_reference():
    page = (ROOT / "docs" / "reference" / "hooks.md").read_text("utf-8")
    names = [
        name for specs in (hooks.Stages, hooks.Observers) for name in vars(specs) if not name.startswith("_")
    ]

    assert len(names) > 10
    assert [name for name in names if f"\n### {name}\n" not in page] == []


def test_every_command_is_in_the_reference():
    page = (ROOT / "docs" / "reference" / "commands.md").read_text("utf-8")
    paths = list(command_paths(cli))

    assert len(paths) > 10
    assert [path for path in paths if f"\n## {path}\n" not in page] == []


def test_every_error_is_in_the_reference():
    page = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    names = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__
    ]

    assert [name for name in names if f"\n## {name}\n" not in page] == []
    assert [
        name
        for name in names
        if issubclass(getattr(errors, name), Exception) and name not in (errors.__doc__ or "")
    ] == []


def test_every_setting_of_the_pipeline_file_is_in_the_reference():
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    schema = Document.model_json_schema(by_alias=True)
    models = [schema, *schema["$defs"].values()]
    names = {name for model in models for name in model["properties"]}

    assert len(names) > 30
    assert [name for name in sorted(names) if f"\n| `{name}` |" not in page] == []


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "| meaning |" in page.read_text("utf-8")], ids=name_of
)
def test_every_setting_and_option_says_what_it_means(page):
    rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith("| `")]

    assert [row for row in rows if row.endswith("|  |")] == []


@pytest.fixture
def docs():
    """Return the script that writes the generated parts, as a module."""
    spec = importlib.util.spec_from_file_location("docs_script", ROOT / "scripts" / "docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("of", "attribute", "page", "said"),
    [
        (hooks.Stages.notify, "__doc__", "hooks_page", "Stages.notify"),
        (hooks.Observers.gather, "__doc__", "hooks_page", "Observers.gather"),
        (errors.UserError, "__doc__", "errors_page", "UserError"),
        (GitError, "__doc__", "errors_page", "GitError"),
        (PipelineConfig, "__doc__", "settings_page", "PipelineConfig"),
        (cli.get_command(None, "check"), "help", "commands_page", "aiops check"),
        (cli.get_command(None, "check").params[1], "help", "commands_page", "check --probe"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("text", [None, "", "\n    "])
def test_what_is_not_documented_stops_the_writing(docs, monkeypatch, of, attribute, page, said, text):
    monkeypatch.setattr(of, attribute, text)

    with pytest.raises(SystemExit) as stopped:
        getattr(docs, page)(*[errors, "aiops_core"] * (page == "errors_page"))

    assert stopped.value.code == f"{said}: is not documented. Write its docstring, or the help of an option"


def test_a_setting_without_a_meaning_stops_the_writing(docs, monkeypatch):
    rows = docs.settings_rows
    monkeypatch.setattr(docs, "settings_rows", lambda model: [replace(row, text="") for row in rows(model)])

    with pytest.raises(SystemExit) as stopped:
        docs.settings_page()

    assert stopped.value.code.startswith("Document.state: is not documented.")


def test_an_error_that_says_only_what_its_fields_are_is_not_documented(docs):
    module = ModuleType("broken", "Errors.\n\nOne")
    module.One = dataclasses.make_dataclass(
        "One", ["text"], bases=(Exception,), namespace={"__module__": "broken"}
    )

    with pytest.raises(SystemExit, match=r"^One: is not documented"):
        docs.errors_page(module)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Return a function that writes a package with an error two floors down, and gives its name."""

    def written(name, body):
        (tmp_path / name / "deep").mkdir(parents=True)
        for path in ("__init__.py", "deep/__init__.py"):
            (tmp_path / name / path).touch()
        (tmp_path / name / "__main__.py").write_text("raise SystemExit(5)\n")
        text = f"from aiops_core.errors import Retry\n\nclass Lost(Retry):\n    {body}\n\nclass _Own(Lost): ...\n"
        (tmp_path / name / "deep" / "below.py").write_text(text)
        return name

    monkeypatch.syspath_prepend(tmp_path)
    return written


def test_an_error_that_is_defined_elsewhere_is_listed_with_its_place(docs, elsewhere):
    page = docs.errors_page(errors, elsewhere("acme_told", '"""Say what is lost."""'))

    assert page.endswith("## Lost\n\nA kind of `Retry`, in `acme_told.deep.below`. Say what is lost.\n")


def test_an_error_that_is_defined_elsewhere_has_to_be_documented(docs, elsewhere):
    with pytest.raises(SystemExit, match=r"^Lost: is not documented"):
        docs.errors_page(errors, elsewhere("acme_silent", "..."))


def test_the_generated_parts_are_as_the_code_says():
    done = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_page_is_named(tmp_path):
    for name in ("scripts", "docs", "plugins", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "README.md", tmp_path)
    page = tmp_path / "docs" / "reference" / "hooks.md"
    page.write_text(page.read_text("utf-8").replace("### notify", "### tell"), "utf-8")
    command = [sys.executable, "scripts/docs.py"]

    checked = subprocess.run([*command, "--check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    written = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert checked.returncode == 1
    assert checked.stderr == "docs/reference/hooks.md: not as the code says. Run make docs\n"
    assert written.stdout == "docs/reference/hooks.md: written\n"
    assert page.read_bytes() == (ROOT / "docs" / "reference" / "hooks.md").read_bytes()
