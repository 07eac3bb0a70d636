"""aiops test: the tests that stand beside pipeline files."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from aiops_core.cli import cli
from aiops_core.errors import AiopsError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "shop"
PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log]}}]
    detectors: [levels]
    timezone: UTC
    notifiers: [{uses: webhook, with: {url: "${env:HOOK}"}}]
"""
TESTS = """\
tests:
  an error is told:
    lines: |
      2026-11-21 03:00:00,120 ERROR shop: order 4711 failed
    expect:
      incidents: [{severity: SEVERITY, sent: [{to: webhook}]}]
"""


def run(directory, *paths):
    result = CliRunner().invoke(cli, ["test", *(str(directory / path) for path in paths or ("",))])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output.replace(f"{directory}/", "")


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    return tmp_path


def test_the_example_passes():
    code, said = run(EXAMPLE)

    assert (code, said.splitlines()[-1]) == (0, "2 tests passed, 0 failed")


def test_what_is_expected_and_comes_passes_without_a_secret(shop):
    (shop / "pipeline_test.yaml").write_text(TESTS.replace("SEVERITY", "error"))

    code, said = run(shop)

    assert (code, said) == (0, "✓ pipeline_test.yaml: an error is told\n1 test passed, 0 failed\n")


def test_what_comes_otherwise_fails_with_the_difference(shop):
    (shop / "pipeline_test.yaml").write_text(TESTS.replace("SEVERITY", "critical"))

    code, said = run(shop)

    assert code == 1
    assert "✗ pipeline_test.yaml: an error is told" in said
    assert "    -      severity: critical\n    +      severity: error" in said


def test_an_incident_nobody_expected_fails(shop):
    (shop / "pipeline_test.yaml").write_text(TESTS.partition("incidents")[0] + "incidents: []\n")

    code, said = run(shop)

    assert (code, "+      title: 'LogError: shop: order 4711 failed'" in said) == (1, True)


def test_a_test_file_belongs_to_the_pipeline_file_of_its_name(shop):
    (shop / "pipeline.yaml").rename(shop / "billing.yaml")
    (shop / "billing_test.yaml").write_text(TESTS.replace("SEVERITY", "error"))

    assert run(shop, "billing_test.yaml")[0] == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tests: {a: {lines: x}}", "pipeline_test.yaml:1:9: tests.a: setting 'expect' is missing"),
        ("tests: {a: {expect: {}}}", "has nothing to read: write 'lines' or 'files'"),
        ("tests: {a: {files: [no.log], expect: {}}}", "no.log: no such file or directory"),
    ],
)
def test_a_file_that_is_wrong_is_told_and_the_others_are_run(shop, text, words):
    (shop / "pipeline_test.yaml").write_text(text)
    (shop / "z_test.yaml").write_text(TESTS.replace("SEVERITY", "error"))

    code, said = run(shop)

    assert code == 2
    assert words in said
    assert said.endswith("✓ z_test.yaml: an error is told\n1 test passed, 0 failed, 1 file wrong\n")


def test_a_pipeline_file_that_is_wrong_is_told_and_the_others_are_run(shop):
    (shop / "a.yaml").write_text("pipelines: {}")
    for name in ("a", "pipeline"):
        (shop / f"{name}_test.yaml").write_text(TESTS.replace("SEVERITY", "error"))

    code, said = run(shop)

    assert (code, said.splitlines()[0]) == (2, "✗ a_test.yaml: cannot be run")
    assert "1 test passed, 0 failed, 1 file wrong" in said


def test_a_place_without_tests_is_refused(shop):
    with pytest.raises(AiopsError, match=r"no \*_test.yaml there. Write one beside the pipeline file"):
        run(shop)
