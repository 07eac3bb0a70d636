"""aiops check looks at what settings name, as a start would, and has no effect."""

import pytest
from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.errors import UserError
from aiops_core.pipeline import load

PIPELINE = """\
pipelines:
  shop:
    sources:
      - {uses: http, with: {certificate: ./no.pem}}
    detectors: [python]
    analyzers:
      - {uses: recorded, with: {path: ./answers.yaml}}
      - {uses: knowledge, with: {path: ./rules}}
    actions:
      - local_branch
    notifiers:
      - {uses: email, with: {to: [a@example.org], host: mx.example.org, templates: ./words}}
      - {uses: webhook, with: {url: "https://example.org/", ca_file: ./no.pem}, isolation: process}
"""
ANSWERS = """\
- match: {type: KeyError}
  answer: {title: t, summary: s, root_cause: r, confidence: 9}
"""


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "answers.yaml").write_text(ANSWERS)
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "body.txt.j2").write_text("one\n{{ report.title")
    return tmp_path


def check(directory, text):
    (directory / "pipeline.yaml").write_text(text)
    with pytest.raises(UserError) as raised:
        cli.main(["check", str(directory / "pipeline.yaml")], "aiops", standalone_mode=False)
    return [line.replace(f"{directory}/", "") for line in str(raised.value).splitlines()]


def test_what_only_a_start_would_refuse_is_told_at_once_with_line_and_remedy(directory):
    said = check(directory, PIPELINE)

    assert said == [
        "pipeline.yaml:4:22: sources[0] (http): certificate ./no.pem: No such file or directory. "
        "Name a PEM certificate and its unlocked key",
        "pipeline.yaml:7:26: analyzers[0] (recorded): answers.yaml:2: [0].answer.confidence: "
        "Input should be less than or equal to 1.",
        "pipeline.yaml:8:27: analyzers[1] (knowledge): rules: No such file or directory. Correct the path.",
        "pipeline.yaml:10:9: actions[0] (local_branch): repository: local_branch needs one. "
        "Write repository: {url: ADDRESS, test: COMMAND} into the pipeline.",
        "pipeline.yaml:12:23: notifiers[0] (email): templates: words/body.txt.j2:2: unexpected end of template, "
        "expected 'end of print statement'. Mend the template.",
        "pipeline.yaml:13:25: notifiers[1] (webhook): ca_file: no.pem: No such file or directory. "
        "Name a file with PEM certificates.",
    ]


def test_nothing_is_made_or_reached_by_a_check(directory):
    text = PIPELINE.partition("    analyzers")[0].replace("./no.pem", "''")
    (directory / "pipeline.yaml").write_text(
        f"{text}    notifiers: [{{uses: file, with: {{path: ./told}}}}]\n"
    )
    before = sorted(directory.rglob("*"))

    result = CliRunner().invoke(cli, ["check", str(directory / "pipeline.yaml")])

    assert (result.exit_code, sorted(directory.rglob("*"))) == (0, before)


def test_a_component_of_ones_own_that_raises_is_named_with_its_line(directory):
    (directory / "own.py").write_text(
        "from aiops_core import Notifier, Receipt\n\n\nclass Own(Notifier):\n"
        "    def check(self):\n        raise KeyError('x')\n\n"
        "    def notify(self, report):\n        return Receipt()\n"
    )

    (said,) = check(
        directory,
        PIPELINE.partition("    analyzers")[0].replace("./no.pem", "''")
        + "    notifiers: ['./own.py:Own']\n",
    )

    assert said.endswith("notifiers[0] (./own.py:Own): own.py:6: Own.check() raised KeyError: 'x'. Mend it")


def test_a_replay_needs_no_file_that_only_telling_needs(directory):
    (directory / "pipeline.yaml").write_text(PIPELINE)

    load(directory / "pipeline.yaml", needs_secrets=False)
