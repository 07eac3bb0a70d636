"""aiops init: a first pipeline file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from aiops_core.errors import UserError


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=Path("pipeline.yaml"))
@click.option(
    "--from-env", is_flag=True, help="Write what the usual variables say, instead of what is found."
)
def init(file: Path, from_env: bool) -> None:
    """Write a first pipeline file for the directory you are in.

    Looks for log files, units of systemd, the git remote and the test command. Nothing needs a key
    or a secret to begin with; what does stands there as a comment. A file that is there is never
    overwritten. With --from-env the file says what LOG_FILE_PATH, CODE_HOST, GITHUB_TOKEN,
    GITHUB_REPO, GITLAB_BASE_URL, GITLAB_TOKEN, GITLAB_PROJECT, ANTHROPIC_API_KEY, CLAUDE_COMMAND,
    CLAUDE_FIX_MODE, CLAUDE_ARGS, SMTP_SERVER, SMTP_PORT, SMTP_USER, SMTP_PASSWORD, RECEIVER_EMAIL and
    SLACK_WEBHOOK_URL say; secrets become references to them.
    """
    from aiops_core.document import dot_env
    from aiops_core.draft import from_directory, from_environment, write_page
    from aiops_core.pipeline import load

    variables = {**dot_env(file.parent / ".env"), **os.environ}
    draft = from_environment(variables) if from_env else from_directory(Path.cwd(), variables)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(write_page(draft))
    except FileExistsError:
        raise UserError(f"{file}: is there already, and stays as it is. Name another file") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be written: {error.strerror}. Name another file") from None
    for note in draft.notes:
        click.echo(f"found {note}" if not note.startswith("no ") else note)
    load(file)
    click.echo(f"{file}: written and fine. Look at it, then run 'aiops run {file}'")
