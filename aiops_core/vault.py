"""Secrets in an encrypted file beside the pipeline file; the key lies elsewhere.

Encrypted with Fernet of the ``cryptography`` package (AES-128-CBC and HMAC-SHA256), one token for
each secret, its name inside it so that tokens cannot be swapped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_core.errors import UserError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

FILE = "aiops.secrets"
_KEY = "AIOPS_SECRETS_KEY"


class Vault:
    """The encrypted secrets beside one pipeline file."""

    def __init__(self, directory: Path, environment: Mapping[str, str] = os.environ) -> None:
        """Use the key file that ``AIOPS_SECRETS_KEY`` names, else one in the user's configuration."""
        self.path = directory / FILE
        configured = environment.get("XDG_CONFIG_HOME") or "~/.config"
        self.key_path = Path(environment.get(_KEY) or f"{configured}/aiops/secrets.key").expanduser()

    def names(self) -> list[str]:
        """Return the names of the secrets; raise UserError when the file is none of ours."""
        return sorted(self._tokens())

    def get(self, name: str) -> str:
        """Return a secret; raise UserError when it is not there or cannot be read with this key."""
        token = self._tokens().get(name)
        if token is None:
            raise UserError(f"{self.path}: holds no secret {name}. Set it with 'aiops secrets set {name}'")
        from cryptography.fernet import InvalidToken

        try:
            said, _, value = self._cipher().decrypt(token.encode()).decode().partition("\n")
        except (InvalidToken, ValueError):
            said, value = "", ""
        if said != name:
            raise UserError(
                f"{self.path}: secret {name} was not written with the key {self.key_path}. Name the right key "
                f"file in {_KEY}, or set the secret again"
            )
        return value

    def set(self, name: str, value: str) -> None:
        """Keep a secret under a name; the key is made when there is none yet."""
        tokens = self._tokens()
        if not tokens and not self.key_path.exists():
            self._make_key()
        tokens[name] = self._cipher().encrypt(f"{name}\n{value}".encode()).decode()
        self._write(tokens)

    def remove(self, name: str) -> None:
        """Forget a secret; raise UserError when it is not there."""
        tokens = self._tokens()
        if tokens.pop(name, None) is None:
            raise UserError(f"{self.path}: holds no secret {name}. 'aiops secrets list' shows the names")
        self._write(tokens)

    def _tokens(self) -> dict[str, str]:
        try:
            found = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise UserError(f"{self.path}: cannot be read ({error}). Mend it or move it away") from None
        if not isinstance(found, dict) or not all(isinstance(token, str) for token in found.values()):
            raise UserError(f"{self.path}: is no file of secrets. Move it away")
        return found

    def _cipher(self) -> Fernet:
        try:
            from cryptography.fernet import Fernet
        except ImportError:
            raise UserError(
                "the package cryptography is missing. Run: pip install 'aiops-core[secrets]'"
            ) from None
        try:
            if self.key_path.stat().st_mode & 0o077:
                raise UserError(f"{self.key_path}: others may read the key. Run `chmod 600 {self.key_path}`")
            return Fernet(self.key_path.read_bytes().strip())
        except OSError as error:
            raise UserError(
                f"{self.key_path}: the key of {self.path} cannot be read ({error.strerror}). Put it there, or name "
                f"another file in {_KEY}"
            ) from None
        except ValueError:
            raise UserError(f"{self.key_path}: is no key. Name the right file in {_KEY}") from None

    def _make_key(self) -> None:
        from base64 import urlsafe_b64encode

        self.key_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(self.key_path, urlsafe_b64encode(os.urandom(32)))

    def _write(self, tokens: Mapping[str, str]) -> None:
        fresh = self.path.with_name(f".{FILE}.{os.getpid()}")
        try:
            _write_private(fresh, json.dumps(tokens, indent=1).encode())
            fresh.replace(self.path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise UserError(f"{self.path}: cannot be written ({error.strerror})") from None


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
