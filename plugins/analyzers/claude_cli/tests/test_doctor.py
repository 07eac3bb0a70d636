"""What aiops doctor says of the agentic mode."""

import pytest
from click.testing import CliRunner

from aiops_core.cli import cli

PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./a.log]}}]
    detectors: [python]
    analyzers: [{uses: claude_cli, with: {api_key: "${env:SHOP_KEY}", command: COMMAND}}]
"""


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("STAND_IN", "✓ shop.claude_cli: works here"),
        ("./nowhere", "✗ shop.claude_cli: it is off: the program './nowhere' is not found."),
    ],
)
def test_s14_s18_doctor_says_whether_the_mode_is_on(shop, stand_in, tmp_path, command, said):
    path = tmp_path / "pipeline.yaml"
    path.write_text(PIPELINE.replace("COMMAND", command.replace("STAND_IN", str(stand_in))), "utf-8")

    result = CliRunner(env={"SHOP_KEY": "sk-shop-key"}).invoke(cli, ["doctor", str(path)])

    assert said in result.output
    assert result.exit_code == (0 if said.startswith("✓") else 2)
