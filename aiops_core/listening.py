"""The TLS side of an address a source listens on."""

from __future__ import annotations

import ssl
from pathlib import Path

from aiops_core.errors import UserError


def server_context(directory: Path, certificate: str, key: str, client_ca: str) -> ssl.SSLContext:
    """Return a context with this certificate; raise UserError when the files cannot be used.

    Names are relative to ``directory``; without ``key`` the certificate's file holds it; clients must show
    one of ``client_ca`` where that is given.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty password: a locked key fails instead of asking at the terminal.
        context.load_cert_chain(_path(directory, certificate), _path(directory, key or certificate), "")
    except (OSError, ssl.SSLError) as error:
        what = f"certificate {certificate}" + (f", key {key}" if key else "")
        raise UserError(f"{what}: {_reason(error)}. Name a PEM certificate and its unlocked key") from None
    if client_ca:
        try:
            context.load_verify_locations(_path(directory, client_ca))
        except (OSError, ssl.SSLError) as error:
            raise UserError(
                f"client_ca {client_ca}: {_reason(error)}. Name a PEM file of authorities"
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _path(directory: Path, name: str) -> Path:
    return directory / Path(name).expanduser()


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "cannot be used"
    return error.strerror or "cannot be read"
