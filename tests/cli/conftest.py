"""What tests of the command line share."""

import sys

import pytest
from click.testing import CliRunner


@pytest.fixture
def typed(monkeypatch):
    """Run a command in this process; return its exit code, output and error as `aiops` gives them."""
    from aiops_core import cli as commands

    def run(*arguments, stdin=None):
        monkeypatch.setattr(sys, "argv", ["aiops", *map(str, arguments)])
        runner = CliRunner(env={"COLUMNS": "200"})
        with runner.isolation(input=stdin) as (out, err, _):
            with pytest.raises(SystemExit) as ended:
                commands.main()
            sys.stdout.flush()
            return ended.value.code, out.getvalue().decode(), err.getvalue().decode()

    return run
