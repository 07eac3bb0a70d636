"""The command line: one file per command group, each imported only when it is used."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from aiops_core.errors import AiopsError, UserError
from aiops_core.memory import keep_memory

COMMANDS = {
    "init": "aiops_core.cli.init:init",
    "run": "aiops_core.cli.run:run",
    "reload": "aiops_core.cli.reload:reload",
    "check": "aiops_core.cli.check:check",
    "scan": "aiops_core.cli.scan:scan",
    "replay": "aiops_core.cli.replay:replay",
    "test": "aiops_core.cli.test:test",
    "fingerprint": "aiops_core.cli.fingerprint:fingerprint",
    "demo": "aiops_core.cli.demo:demo",
    "plugins": "aiops_core.cli.plugins:plugins",
    "new": "aiops_core.cli.new:new",
    "schema": "aiops_core.cli.plugins:schema",
    "incidents": "aiops_core.cli.incidents:incidents",
    "why": "aiops_core.cli.why:why",
    "silence": "aiops_core.cli.silence:silence",
    "jobs": "aiops_core.cli.jobs:jobs",
    "approvals": "aiops_core.cli.approvals:approvals",
    "deliveries": "aiops_core.cli.deliveries:deliveries",
    "insights": "aiops_core.cli.hindsight:insights",
    "stats": "aiops_core.cli.hindsight:stats",
    "db": "aiops_core.cli.db:db",
    "secrets": "aiops_core.cli.secrets:secrets",
    "service": "aiops_core.cli.service:service",
    "doctor": "aiops_core.cli.doctor:doctor",
}
"""Where the commands of aiops-core are."""
_HELP = {
    "init": "Write a first pipeline file for the directory you are in.",
    "run": "Watch, detect, answer and tell until stopped.",
    "reload": "Let a run read its pipeline file again.",
    "check": "Check a pipeline file and say everything that is wrong with it.",
    "scan": "Find the errors in log files and print them.",
    "replay": "Show what a pipeline would do about recorded logs, without doing it.",
    "test": "Run the tests that stand beside pipeline files.",
    "fingerprint": "Show why events are one incident or two.",
    "demo": "Show the whole way from a crash to a tested fix branch.",
    "plugins": "List what is installed.",
    "new": "Write a plugin that works, for you to change.",
    "schema": "Print the JSON Schema of the pipeline file, for editors.",
    "incidents": "Look at incidents and decide about them.",
    "why": "Tell why something was or was not done about an incident.",
    "silence": "Hold messages back for a while.",
    "jobs": "Look at what is queued and at what was given up.",
    "approvals": "Look at plans that wait for you, and say yes or no.",
    "deliveries": "Look at messages and send failed ones again.",
    "insights": "Show what stands out among the errors of a period.",
    "stats": "Show how fast errors were noticed, told and ended, and what the answers took.",
    "db": "Look after the state database.",
    "secrets": "Keep secrets in an encrypted file.",
    "service": "Keep a pipeline running with systemd.",
    "doctor": "Look at this machine and a pipeline file's surroundings.",
}


class _Lazy(click.Group):
    """A group whose commands are imported on use; plugins add theirs by entry point."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # Any: passed on as it came
        with _open_pipe():  # --help prints here
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> object:
        with _open_pipe():
            result: object = super().invoke(ctx)
            sys.stdout.flush()
            return result

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *self._plugins()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            return _load(COMMANDS[cmd_name])
        if cmd_name in self._plugins():
            from aiops_core.catalogue import Catalogue

            command = Catalogue().find("commands", cmd_name).imported()
            return command if isinstance(command, click.Command) else None
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from difflib import get_close_matches

        if args and self.get_command(ctx, args[0]) is None:
            close = get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean '{close[0]}'?" if close else " 'aiops --help' lists the commands."
            ctx.fail(f"no command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Written from the table above, so that --help imports no command.
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, _HELP.get(name, "Added by a plugin.")) for name in self.list_commands(ctx)]
            )

    def _plugins(self) -> list[str]:
        from importlib.metadata import entry_points

        return sorted(point.name for point in entry_points(group="aiops.commands"))


@contextmanager
def _open_pipe() -> Iterator[None]:
    """End quietly when the reader of our output has seen enough and closed the pipe."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left in the buffers goes there
        raise click.exceptions.Exit(0) from None


def _load(target: str) -> click.Command:
    module, _, name = target.partition(":")
    command: click.Command = getattr(import_module(module), name)
    return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aiops-core", prog_name="aiops")
def cli() -> None:
    """Watch logs, group errors, find the cause, propose the fix, tell people."""


def main() -> None:
    """Run the command line: exit 0, 1 when the fault is ours, 2 when it is the user's."""
    keep_memory()
    try:
        sys.exit(cli.main(prog_name="aiops", standalone_mode=False) or 0)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("aborted", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except UserError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except AiopsError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
