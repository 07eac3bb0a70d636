"""Every block that is shown is executed or parsed; every command line exists with its options."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from shown import PAGES, ROOT, shown

from aiops_core.cli import cli
from aiops_core.cli.reference import document_schema

ALL = [*PAGES, *(ROOT / "aiops_core" / "scaffold").rglob("*.md.jinja")]
BLOCKS = [block for page in ALL for block in shown(page)]
INLINE = re.compile(r"(?<![`\w])`(aiops [^`\n]+)`")
LANGUAGES = {"console", "python", "sh", "text", "yaml"}
RULES = {"knowledge": "analyzers", "recorded": "analyzers", "regex": "detectors"}
"""Plugins that show files of their own; each has a setting for it."""


def of(*languages):
    return [block for block in BLOCKS if block.language in languages]


def shell(block):
    """Return what a person types: in `console` the lines after a prompt."""
    if block.language == "sh":
        return block.text
    return "\n".join(line.removeprefix("$ ") for line in block.text.splitlines() if line.startswith("$ "))


def calls(text):
    """Yield the arguments of each `aiops` in a shell's text."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        words = list(lexer) if "aiops" in line else []
        while words:
            end = next((at for at, word in enumerate(words) if set(word) <= set("|&;<>()")), len(words))
            command, words = words[:end], words[end + 1 :]
            at = next((at for at, word in enumerate(command) if Path(word).name == "aiops"), None)
            if at is not None and all("=" in word or word in {"sudo", "exec"} for word in command[:at]):
                yield command[at + 1 :]


def parse(words):
    """Let the command line read the words, and nothing be done."""
    command, context = cli, click.Context(cli, info_name="aiops")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.make_parser(context).parse_args(list(words))


def test_every_block_says_what_it_is():
    assert [str(block) for block in BLOCKS if block.language not in LANGUAGES] == []


FENCES = """\
```python a.py
a
```

1. Listed, and indented:

   ```yaml
   b:
     - c
   ```
2. ~~~text
   d
   ~~~

> ````sh
> e
> ```
> ````

    ~~~
    f
    ~~~~
~~~~ python
g"""


def test_a_block_is_found_however_it_is_fenced(tmp_path):
    (tmp_path / "page.md").write_text(FENCES)

    found = [(one.line, one.language, one.file, one.text) for one in shown(tmp_path / "page.md")]

    assert found == [
        (1, "python", "a.py", "a\n"),
        (7, "yaml", "", "b:\n  - c\n"),
        (11, "text", "", "d\n"),
        (15, "sh", "", "e\n```\n"),
        (20, "", "", "f\n"),
        (23, "python", "", "g\n"),
    ]


@pytest.mark.parametrize("block", of("sh", "console"), ids=str)
def test_what_is_typed_is_a_shell_s_language_and_names_commands_that_are_there(block):
    text = shell(block)
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)

    assert text
    assert (done.returncode, done.stderr) == (0, "")
    for words in calls(text):
        parse(words)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([\w-]+)", text, re.MULTILINE)) <= targets


@pytest.mark.parametrize(
    "page",
    [page for page in ALL if INLINE.search(page.read_text("utf-8"))],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_commands_that_are_named_are_there_with_their_options(page):
    for line in INLINE.findall(page.read_text("utf-8")):
        if not re.search(r"[|…\[]", line):
            for words in calls(line):
                parse(words)


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_that_is_shown_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = compile(block.text, str(block), "exec")
    if not block.file.startswith("test_"):
        exec(code, {"__name__": "shown", "__file__": str(block.page)})


@pytest.mark.parametrize("block", [block for block in of("yaml") if "plugins" in block.page.parts], ids=str)
def test_settings_that_a_plugin_shows_are_fine(block, tmp_path, monkeypatch):
    value = yaml.safe_load(block.text)
    for name in re.findall(r"\$\{env:(\w+)\}", block.text):
        monkeypatch.setenv(name, "a-value")
    plugin = block.page.parent.name
    setting = {"regex": "file"}.get(plugin, "path")
    if plugin in RULES and not (isinstance(value, dict) and "pipelines" in value):
        (tmp_path / "shown.yaml").write_text(block.text, "utf-8")
        value = {RULES[plugin]: [{"uses": plugin, "with": {setting: "shown.yaml"}}]}
    if "pipelines" not in value:
        value = {"pipelines": {"shown": {"sources": ["stdin"], "notifiers": ["console"], **value}}}
    (tmp_path / "pipeline.yaml").write_text(yaml.safe_dump(value, allow_unicode=True), "utf-8")

    result = CliRunner().invoke(cli, ["check", str(tmp_path / "pipeline.yaml")])

    assert result.exit_code == 0, f"{result.output}{result.exception}"


def test_the_schema_takes_every_pipeline_that_is_shown():
    files = [*ROOT.glob("plugins/*/*/example.yaml"), *ROOT.glob("examples/*/pipeline.yaml")]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in files}
    texts |= {str(block): block.text for block in of("yaml") if "pipelines:" in block.text}
    validator = jsonschema.Draft202012Validator(document_schema())

    wrong = [
        f"{where}: {error.message}"
        for where, text in texts.items()
        for error in validator.iter_errors(yaml.safe_load(text))
    ]

    assert len(texts) > 50
    assert wrong == []
