"""aiops secrets set|list|remove."""

from __future__ import annotations

import re
from pathlib import Path

import click

from aiops_core.errors import UserError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")
_file = click.option(
    "--file",
    "-f",
    type=click.Path(path_type=Path),
    default=Path("pipeline.yaml"),
    show_default=True,
    help="Pipeline file beside which the secrets are kept.",
)


@click.group()
def secrets() -> None:
    """Keep secrets in an encrypted file; a pipeline names them as ${secret:NAME}.

    The file aiops.secrets lies beside the pipeline file; its key in ~/.config/aiops/secrets.key, or in
    the file that AIOPS_SECRETS_KEY names. Keep the key out of backups of the other.
    """


@secrets.command("set")
@click.argument("name")
@_file
def set_(name: str, file: Path) -> None:
    """Ask for a secret, or read it from standard input, and keep it under NAME."""
    import sys

    from aiops_core.vault import Vault

    if not _NAME.fullmatch(name):
        raise UserError(f"{name}: is no name of a secret. Use letters, digits, '.', '_' and '-'")
    if sys.stdin.isatty():
        value = str(click.prompt(name, hide_input=True, confirmation_prompt=True))
    else:
        value = sys.stdin.read().rstrip("\n")
    if not value.strip():
        raise UserError(f"{name}: the secret is empty. Nothing was kept")
    vault = Vault(file.resolve().parent)
    vault.set(name, value)
    click.echo(f"kept in {vault.path}, its key is {vault.key_path}")


@secrets.command("list")
@_file
def list_(file: Path) -> None:
    """List the names of the secrets, never the secrets."""
    from aiops_core.vault import Vault

    names = Vault(file.resolve().parent).names()
    for name in names or ["no secrets"]:
        click.echo(name)


@secrets.command()
@click.argument("name")
@_file
def remove(name: str, file: Path) -> None:
    """Forget a secret."""
    from aiops_core.vault import Vault

    Vault(file.resolve().parent).remove(name)
    click.echo(f"{name} is forgotten")
