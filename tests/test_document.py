"""A pipeline file's mistakes: all at once, each with its place and what to do."""

import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from aiops_core.config import Size, size_text
from aiops_core.document import read
from aiops_core.errors import DocumentError, UserError
from aiops_core.mistakes import mistake
from aiops_core.pipeline import load

AIOPS = Path(sys.executable).parent / "aiops"


def problems(directory, text, environment=None):
    path = directory / "pipeline.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as raised:
        load(path, environment=environment or {})
    return without_columns(str(raised.value)).splitlines()


def without_columns(said):
    """Return what was said with the line of each mistake alone: columns are shown by a test of their own."""
    return re.sub(r"(\.yaml:\d+):\d+: ", r"\1: ", said)


def loaded(directory, text, environment=None):
    path = directory / "pipeline.yaml"
    path.write_text(text)
    return load(path, environment=environment or {})


TEN = """\
enginee: local
workers: many
logging: {level: loud}
pipelines:
  shop:
    sources:
      - uses: fil
      - uses: file
        with: {path: [a.log], paths: [b.log], start: sometimes}
    policy: {max_age: tomorrow}
    analyzers:
      - uses: claude
        with: {api_key: sk-in-the-file}
    notifiers: [console]
    notifiers: [console]
    actions: [{uses: local_branch, mode: atuo}]
"""


def test_ten_mistakes_are_told_at_once_with_line_and_remedy_and_exit_2(tmp_path):
    (tmp_path / "shop.yaml").write_text(TEN)

    done = subprocess.run([AIOPS, "check", "shop.yaml"], cwd=tmp_path, capture_output=True, text=True)

    assert done.stderr.splitlines() == [
        "shop.yaml:1:1: unknown setting 'enginee'. Did you mean 'engine'?",
        "shop.yaml:2:1: workers: is no whole number. Write one",
        "shop.yaml:3:11: logging.level: is none of 'debug', 'info', 'warning' or 'error'. Write one of them",
        "shop.yaml:7:9: sources[0] (fil): not installed. Did you mean 'file'?",
        "shop.yaml:9:16: sources[1] (file): unknown setting 'path'. Did you mean 'paths'?",
        "shop.yaml:9:47: sources[1] (file): start: is none of 'end' or 'beginning'. Write one of them",
        "shop.yaml:10:14: policy.max_age: 'tomorrow' is no duration: write a number and ms, s, m, h or d, "
        "as in 90s or 24h",
        "shop.yaml:13:16: analyzers[0].with.api_key: a secret must not stand in the file. "
        "Write ${env:NAME}, ${file:PATH} or ${secret:NAME}",
        "shop.yaml:15:5: notifiers: written twice, first in line 14. Keep one",
        "shop.yaml:16:36: actions[0].mode: is none of 'dry_run', 'ask' or 'auto'. Write one of them",
    ]
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pipelnes: {}", "unknown setting 'pipelnes'. Did you mean 'pipelines'?"),
        ("logging: {formt: json}", "logging: unknown setting 'formt'. Did you mean 'format'?"),
        (
            "pipelines: {shop: {sorces: []}}",
            "pipelines.shop: unknown setting 'sorces'. Did you mean 'sources'?",
        ),
        (
            "pipelines: {shop: {policy: {max_ag: 1h}}}",
            "policy: unknown setting 'max_ag'. Did you mean 'max_age'?",
        ),
        (
            "pipelines: {shop: {repository: {url: x, tst: y}}}",
            "repository: unknown setting 'tst'. Did you mean 'test'?",
        ),
        (
            "pipelines: {shop: {detectors: [{uses: python, nme: x}]}}",
            "detectors[0]: unknown setting 'nme'. Did you mean 'name'?",
        ),
        (
            "pipelines: {shop: {sources: [{uses: file, with: {pathes: [a]}}]}}",
            "sources[0] (file): unknown setting 'pathes'. Did you mean 'paths'?",
        ),
        (
            "pipelines: {shop: {notifiers: [{uses: console, with: {x: 1}}]}}",
            "notifiers[0] (console): unknown setting 'x'. Known: html_directory, verbosity",
        ),
    ],
)
def test_an_unknown_key_at_any_level_is_refused_with_a_near_name(tmp_path, text, told):
    assert f"pipeline.yaml:1: {told}" in problems(tmp_path, text)


def test_a_component_mistake_names_the_right_step_after_a_broken_one(tmp_path):
    text = "pipelines:\n  shop:\n    notifiers:\n      - 5\n      - uses: consol\n"

    told = problems(tmp_path, text)

    assert "pipeline.yaml:4: notifiers[0]: is no mapping. Write 'key: value' lines below it" in told
    assert "pipeline.yaml:5: notifiers[1] (consol): not installed. Did you mean 'console'?" in told


def test_a_setting_that_is_gone_is_told_with_its_reason_beside_all_other_mistakes(tmp_path):
    text = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [a]}}]
    analyzers:
      - uses: claude
        with:
          temperature: 0.2
          model: 7
          max_tokens: x
          timeout: soon
"""

    assert problems(tmp_path, text) == [
        "pipeline.yaml:6: analyzers[0] (claude): setting 'api_key' is missing. Add it",
        "pipeline.yaml:7: analyzers[0] (claude): temperature: the Claude API has no sampling settings any more "
        "and would refuse it. Remove it; `effort` says how hard the model tries",
        "pipeline.yaml:8: analyzers[0] (claude): model: is no text. Put it in quotes",
        "pipeline.yaml:9: analyzers[0] (claude): max_tokens: is no whole number. Write one",
        "pipeline.yaml:10: analyzers[0] (claude): timeout: 'soon' is no duration: write a number and "
        "ms, s, m, h or d, as in 90s or 24h",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pipelines: {}", "pipelines: is empty. Write at least one"),
        ("workers: 0", "workers: is less than 1. Write 1 or more"),
        ("workers: 65", "workers: is more than 64. Write 64 or less"),
        ("workers: 2.5", "workers: is no whole number. Write one"),
        ("state: 5", "state: is no text. Put it in quotes"),
        ("engine: x", "engine: is not 'local'. Write that"),
        ("pipelines: {s: {sources: []}}", "sources: is empty. Write at least one"),
        ("pipelines: {s: {policy: {min_confidence: 2}}}", "policy.min_confidence: is more than 1. Write 1 or less"),
        ("pipelines: {s: {policy: {min_confidence: x}}}", "policy.min_confidence: is no number. Write one"),
        (
            "pipelines: {s: {sources: [{uses: loki, with: {url: 'http://a', query: '{}', interval: 0s}}]}}",
            "sources[0] (loki): interval: is not more than 0s. Write a higher one",
        ),
        (
            "pipelines: {s: {policy: {max_age: [1]}}}",
            "policy.max_age: is no duration. Write a number and ms, s, m, h or d, as in 90s or 24h",
        ),
        (
            "pipelines: {s: {timezone: Asia/Beijing}}",
            "timezone: 'Asia/Beijing' is no time zone known here: write a name as in Asia/Shanghai, UTC, or local, "
            "this machine's own. Where no name is known the system lacks its package tzdata",
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_in_plain_words_with_a_remedy(tmp_path, text, told):
    assert f"pipeline.yaml:1: {told}" in problems(tmp_path, text)


def test_every_kind_of_mistake_of_the_models_has_words_of_ours():
    class Model(BaseModel):
        whole: int
        number: float
        switch: bool
        text: str
        several: list[int]
        pairs: dict[str, int]
        one: Literal["a", "b"]
        positive: Annotated[int, Field(gt=0)]
        small: Annotated[int, Field(lt=5)]
        short: Annotated[str, Field(max_length=2)]
        long: Annotated[str, Field(min_length=2)]
        named: Annotated[str, Field(pattern="^[a-z]+$")]
        day: date
        duration: timedelta
        few: Annotated[list[int], Field(max_length=1)]

    values = {
        "whole": "x", "number": "x", "switch": "x", "text": 5, "several": 5, "pairs": 5, "one": "c", "positive": 0,
        "small": 5, "short": "abc", "long": "a", "named": "A", "day": "x", "duration": "x", "few": [1, 2],
    }  # fmt: skip

    with pytest.raises(ValidationError) as raised:
        Model.model_validate(values)

    said = {item["loc"][0]: mistake(item) for item in raised.value.errors()}
    assert set(said) == set(values)
    assert not [
        text for text in said.values() if "should" in text or "input" in text.lower() or ". " not in text
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [b\nc: d\n", "pipeline.yaml:2: no valid YAML: while parsing a flow sequence, expected ',' or ']', but got ':'. Mend this line or the one before"),
        ("a: \x01\n", "pipeline.yaml:1: no valid YAML: the character U+0001 is not allowed. Mend this line or the one before"),
        ("a: 1\n---\nb: 2\n", "pipeline.yaml:2: no valid YAML: expected a single document in the stream, but found another document. Mend this line or the one before"),
        ("- a\n", "pipeline.yaml:1: a pipeline file is a mapping. Start with 'pipelines:'"),
        ("", "pipeline.yaml: setting 'pipelines' is missing. Add it"),
        ("pipelines: {shop: 5}\n", "pipeline.yaml:1: pipelines.shop: is no mapping. Write 'key: value' lines below it"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_pipeline_file_is_told_in_one_line(tmp_path, text, told):
    assert problems(tmp_path, text) == [told]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "state: !!python/object:os.system x\n",
            "state: no valid YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object:os.system'. Write plain values only",
        ),
        (
            "state: 2026-99-99\n",
            "state: no valid YAML: month must be in 1..12. Put it in quotes if it is text",
        ),
        ("state: &a [*a]\n", "state[0]: stands for itself. Remove the alias"),
        (
            "pipelines: {shop: {notifiers: console}}\n",
            "notifiers: is no list. Write the items between [ and ], or each on a line that begins with '- '",
        ),
    ],
)
def test_a_value_that_cannot_be_built_is_told_with_its_place(tmp_path, text, told):
    assert f"pipeline.yaml:1: {told}" in problems(tmp_path, text)


def test_a_file_that_is_not_there_or_no_text_says_what_to_do(tmp_path):
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"state: caf\xe9")

    with pytest.raises(UserError) as missing:
        read(tmp_path / "none.yaml")
    with pytest.raises(UserError) as unreadable:
        read(latin)

    assert (
        str(missing.value)
        == f"{tmp_path}/none.yaml: No such file or directory. Give the path of a pipeline file"
    )
    assert str(unreadable.value) == f"{latin}: not UTF-8 text at byte 10. Save it as UTF-8"


def test_a_duplicate_key_is_refused_at_its_second_place(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("state: a\nworkers: 1\nstate: b\n")

    with pytest.raises(DocumentError) as raised:
        read(path).raise_problems()

    assert str(raised.value) == "twice.yaml:3:1: state: written twice, first in line 1. Keep one"


SECRET = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [a]}}]
    repository: {url: ./r, token: "%s"}
"""


@pytest.mark.parametrize(
    ("written", "environment"),
    [
        ("${env:FORGE_TOKEN}", {"FORGE_TOKEN": "sesame-open"}),
        ("${env:FROM_DOT_ENV}", {}),
        ("${file:token.txt}", {}),
    ],
)
def test_a_secret_comes_from_the_environment_a_dot_env_or_a_file(tmp_path, written, environment):
    (tmp_path / ".env").write_text("# tokens\nexport FROM_DOT_ENV='sesame-open'\n")
    (tmp_path / "token.txt").write_text("sesame-open\n")

    built = loaded(tmp_path, SECRET % written, environment)

    assert built.pipelines[0].config.repository.token.get_secret_value() == "sesame-open"
    assert built.secrets == {"sesame-open"}
    assert "sesame-open" not in repr(built)


def test_the_real_environment_wins_over_dot_env(tmp_path):
    (tmp_path / ".env").write_text("TOKEN=from-dot-env\n")

    built = loaded(tmp_path, SECRET % "${env:TOKEN}", {"TOKEN": "from-environment"})

    assert built.pipelines[0].config.repository.token.get_secret_value() == "from-environment"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "sesame-open",
            "a secret must not stand in the file. Write ${env:NAME}, ${file:PATH} or ${secret:NAME}",
        ),
        (
            "${env:NOT_SET}",
            "environment variable NOT_SET is not set. Set it, or write it into .env beside this file",
        ),
        ("${file:none.txt}", "secret file none.txt: No such file or directory. Create it or mend the path"),
        ("${file:empty.txt}", "secret file empty.txt is empty. Write the secret into it"),
        ("${env:EMPTY}", "environment variable EMPTY is empty. Set it to the secret"),
        ("${env:BLANK}", "environment variable BLANK is empty. Set it to the secret"),
    ],
)
def test_a_secret_that_is_literal_or_unset_is_told_with_its_line(tmp_path, written, told):
    (tmp_path / "empty.txt").write_text(" \n")

    told_of = problems(tmp_path, SECRET % written, {"EMPTY": "", "BLANK": " \t"})

    assert told_of == [f"pipeline.yaml:4: repository.token: {told}"]


def test_a_literal_secret_is_told_beside_the_step_s_other_mistakes_and_never_repeated(tmp_path):
    text = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [a]}}]
    analyzers:
      - uses: claude
        with:
          api_key: sesame-open
          timeout: soon
"""

    told = problems(tmp_path, text)

    assert told == [
        "pipeline.yaml:7: analyzers[0].with.api_key: a secret must not stand in the file. "
        "Write ${env:NAME}, ${file:PATH} or ${secret:NAME}",
        "pipeline.yaml:8: analyzers[0] (claude): timeout: 'soon' is no duration: write a number and "
        "ms, s, m, h or d, as in 90s or 24h",
    ]


def test_two_steps_of_one_name_are_refused(tmp_path):
    text = """\
pipelines:
  shop:
    sources:
      - {uses: file, with: {paths: [a]}}
      - {uses: file, with: {paths: [b]}}
"""

    assert problems(tmp_path, text) == [
        "pipeline.yaml:5: sources[1]: another step is called 'file'. Give one of them a 'name:'"
    ]


def test_merge_keys_and_aliases_are_read(tmp_path):
    text = """\
pipelines:
  shop: &shop
    sources: [{uses: file, with: {paths: [a]}}]
    language: zh
  depot:
    <<: *shop
"""

    built = loaded(tmp_path, text)

    assert [(one.name, one.config.language) for one in built.pipelines] == [("shop", "zh"), ("depot", "zh")]


def test_what_is_merged_is_overridden_by_what_is_written(tmp_path):
    path = tmp_path / "merged.yaml"
    path.write_text(
        "pipelines:\n"
        "  shop:\n"
        "    sources: [stdin]\n"
        "    notifiers:\n"
        "      - &file {uses: file, name: one, with: &where {path: ./one.jsonl}}\n"
        "      - &other {<<: *file, name: two, with: {<<: *where, path: ./two.jsonl}}\n"
        "      - {<<: *other, name: three}\n"
    )

    told = load(path).pipelines[0].of_kind("notifiers")

    assert [(step.name, step.component.config.path) for step in told] == [
        ("one", "./one.jsonl"),
        ("two", "./two.jsonl"),
        ("three", "./two.jsonl"),
    ]


@pytest.mark.parametrize(
    ("size", "text"),
    [(262144, "256KB"), (20 * 1024**3, "20GB"), (10485760, "10MB"), (1000, "1000"), (0, "0")],
)
def test_sizes_are_shown_as_they_are_written(size, text):
    assert size_text(size) == text
    assert TypeAdapter(Size).validate_python(text) == size
