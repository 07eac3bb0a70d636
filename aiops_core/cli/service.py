"""aiops service: a systemd unit for a pipeline file."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aiops_core.cli.run import FILE
from aiops_core.errors import UserError

if TYPE_CHECKING:
    from aiops_core.unit import Service

_UNITS = Path("/etc/systemd/system")
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


@click.group()
def service() -> None:
    """Keep a pipeline running with systemd."""


def _options(command: click.Command) -> click.Command:
    command = click.option("--user", default="aiops", show_default=True, help="User it runs as.")(command)
    return click.option("--name", default="aiops", show_default=True, help="Name of the unit.")(command)


@_options
@service.command("show")
@FILE
def show(file: Path, name: str, user: str) -> None:
    """Print the unit file, and write nothing."""
    click.echo(_service(file, name, user).unit(), nl=False)


@_options
@service.command("install")
@FILE
def install(file: Path, name: str, user: str) -> None:
    """Check the pipeline file, write the unit and give the state directory to its user; root may do that.

    Nothing is started: what to do next is printed. Keys belong into NAME.env beside the pipeline file.
    """
    made = _service(file, name, user)
    if os.geteuid() != 0:
        raise UserError(f"{_UNITS}: only root writes there. Run it with sudo, or see 'aiops service show'")
    uid, gid = _ids(user)
    unit = _UNITS / f"{name}.service"
    try:
        unit.write_text(made.unit(), "utf-8")
        made.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(made.state, uid, gid)
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}. Is this a machine with systemd?") from None
    click.echo(f"wrote {unit}; {made.state} belongs to {user}")
    click.echo(f"next: systemctl daemon-reload && systemctl enable --now {name}")
    click.echo(f"then: systemctl status {name}; journalctl -u {name} -f; systemctl reload {name}")


def _service(file: Path, name: str, user: str) -> Service:
    from aiops_core.document import dot_env
    from aiops_core.pipeline import load
    from aiops_core.unit import Service, environment_file

    for word, said in ((name, "name of a unit"), (user, "name of a user")):
        if not _NAME.fullmatch(word):
            raise UserError(f"{word}: no {said}. Write small letters, digits, - and _")
    # Keys as systemd will have them, as far as they are there already.
    environment = {**os.environ, **dot_env(environment_file(file.resolve(), name))}
    loaded = load(file, environment=environment, needs_secrets=False, is_thorough=True)
    program = shutil.which("aiops", path=str(Path(sys.executable).parent)) or shutil.which("aiops")
    if program is None:
        raise UserError("aiops: is not on PATH. Install it where the service can find it")
    needs = any(one.config.repository is not None for one in loaded.pipelines)
    return Service(Path(program).absolute(), loaded.path, loaded.state, user, name, runs_tests=needs)


def _ids(user: str) -> tuple[int, int]:
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        command = f"useradd --system --no-create-home --shell /usr/sbin/nologin {user}"
        raise UserError(f"{user}: there is no such user. Make one with '{command}'") from None
    return entry.pw_uid, entry.pw_gid
