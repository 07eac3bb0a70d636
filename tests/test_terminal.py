"""What a log says reaches a terminal as text: no command shows a control character, and nothing that hides or turns words."""

import re

import pytest
from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.testing.pipeline import run_pipeline

HOSTILE = "\x1b]52;c;ZXZpbA==\x07 \x1b[31mred \x9b31m \u202eturned\u2066 \u200bhidden \x08\x08 x\rforged \x00\x7f end"
PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: ["./*.log"]}}]
    detectors: [levels, python]
    notifiers: [{uses: file, with: {path: ./told}}]
    timezone: UTC
    policy: {max_age: 36500d}
"""
LOG = f"""\
2026-11-22 06:00:00,000 ERROR shop: {HOSTILE}
Traceback (most recent call last):
  File "/srv/{HOSTILE}.py", line 3, in {HOSTILE}
KeyError: '{HOSTILE}'
2026-11-22 06:00:01,000 ERROR pay{HOSTILE}: declined {HOSTILE}
"""
HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("hostile")
    done = run_pipeline(PIPELINE, {"app\x1b[31m\u202e.log": LOG}, directory)
    assert (done.error, len(done.incidents)) == ("", 2)
    return directory


@pytest.mark.parametrize(
    "command",
    [
        "incidents list", "incidents show 1", "incidents show 2", "why 1", "why 2", "why faults", "deliveries list", "jobs list",
        "insights --since 36500d", "stats --since 36500d", "approvals list", "silence list", "db stats", "doctor",
        "silence add title=* --for 1h --why x --preview", "check", "replay .", "scan .", "fingerprint explain .",
        "scan --jsonl .", "why 1 --json", "insights --since 36500d --json", "stats --since 36500d --json",
    ],
)  # fmt: skip
def test_no_command_shows_what_a_terminal_would_obey_or_people_not_see(directory, monkeypatch, command):
    monkeypatch.chdir(directory)

    said = CliRunner().invoke(cli, command.split())

    assert said.exit_code == 0, said.output
    assert HARMFUL.findall(said.output) == []
