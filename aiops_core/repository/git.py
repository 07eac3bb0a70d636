"""Run git: a clean environment, no prompts, hooks or ambient configuration, no secret in argv."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from aiops_core.repository.errors import git_error
from aiops_core.repository.remote import Remote

QUICK = 60.0
"""Seconds a local git command may take."""
SLOW = 900.0
"""Seconds a transfer may take."""
_KEPT = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "SYSTEMROOT")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_SSH = "ssh -o BatchMode=yes"
_CONFIG = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.askPass", ""),
    ("core.quotePath", "false"),
    ("credential.helper", ""),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
    ("commit.gpgSign", "false"),
    ("http.lowSpeedLimit", "100"),
    ("http.lowSpeedTime", "120"),
    ("protocol.allow", "never"),
)


class Completed(Struct, frozen=True):
    """How a git command ended: its exit code, what it printed, and its messages without secrets."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """What it printed, as text; bytes that are no UTF-8 survive a round trip to git."""
        return self.out.decode("utf-8", "surrogateescape").strip()


def run_git(
    args: Sequence[str],
    *,
    cwd: Path,
    remote: Remote | None = None,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    lock: int | None = None,
    timeout: float = QUICK,
    check: bool = True,
) -> Completed:
    """Run one git command in ``cwd`` and return how it ended.

    ``remote`` allows the one protocol its address needs and supplies its credential through the
    environment. ``env`` adds variables of ours. ``lock`` is the descriptor of a held lock, which
    git then holds too. Raise GitError when git is missing, does not end in time or, with
    ``check``, fails.
    """
    where = f"repository {remote.url}" if remote is not None else f"git {args[0]}"
    environment = {**_environment(remote), **(env or {})}
    try:
        with _started(["git", *args], cwd, environment, lock) as process:
            out, err = process.communicate(stdin, timeout)
    except FileNotFoundError:
        raise git_error(where, "", "missing-git") from None
    except subprocess.TimeoutExpired:
        raise git_error(where, f"git {args[0]} was stopped after {timeout:.0f} s", "timeout") from None
    said = err.decode("utf-8", "replace")
    said = remote.scrub(said) if remote is not None else said
    if check and process.returncode != 0:
        raise git_error(where, said)
    return Completed(process.returncode, out, said)


@contextmanager
def _started(
    command: list[str], cwd: Path, env: Mapping[str, str], lock: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _environment(remote: Remote | None) -> dict[str, str]:
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if remote is not None:
        env |= {name: value for name, value in os.environ.items() if name.lower() in _PROXIES}
    if remote is not None and remote.scheme == "ssh":
        env["GIT_SSH_COMMAND"] = _SSH
        env |= {name: os.environ[name] for name in ("SSH_AUTH_SOCK",) if name in os.environ}
    return env | {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        **_configuration(remote),
    }


def _configuration(remote: Remote | None) -> dict[str, str]:
    pairs = list(_CONFIG)
    if remote is not None:
        pairs.append((f"protocol.{remote.scheme}.allow", "always"))
        pairs.append(("http.followRedirects", "false" if remote.header else "initial"))
        if remote.ca_file:
            pairs.append(("http.sslCAInfo", remote.ca_file))
        if remote.header:
            pairs.append((f"http.{remote.url}.extraHeader", remote.header))
    env = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (key, value) in enumerate(pairs):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env
