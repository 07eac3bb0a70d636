"""Where code nobody has reviewed runs: in bubblewrap, or as this user with limits."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from aiops_core.errors import Refused
from aiops_core.repair.process import Limits, Result, run_limited
from aiops_core.repair.toolchain import network_variables, search_path, toolchain

WORK = "/aiops/work"
HOME = "/aiops/home"
"""Where a command in bubblewrap finds its room."""
_USER = 1000
_PASSWD = f"aiops:x:{_USER}:{_USER}::{HOME}:/bin/sh\n"
_TMP_SIZE = 2 << 30
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "timezone", "mime.types")
_ETC_NETWORK = (
    "resolv.conf",
    "hosts",
    "nsswitch.conf",
    "ssl",
    "pki",
    "ca-certificates",
    "services",
    "protocols",
)
_ETC_TOOLS = ("java-*", "python3*")


class Room(Struct, frozen=True):
    """The directories a command may write to, the work clone and a home, and what else it sees."""

    work: Path
    home: Path
    shown: Sequence[Path] = ()
    """Files and directories outside the system that bubblewrap shows where they are, read-only."""


class Sandbox(Protocol):
    """A way to run a shell command on untrusted code."""

    @property
    def name(self) -> str:
        """Name of the sandbox as ``repository.sandbox`` writes it."""

    def available(self) -> str | None:
        """Return None where it works, else the reason why it does not."""

    def run(self, command: str, room: Room, limits: Limits, *, network: bool = False) -> Result:
        """Run the command in the work clone until it ends or a limit ends it with all its children."""


def open_sandbox(name: Literal["bubblewrap", "none"]) -> Sandbox:
    """Return the configured sandbox; raise Refused (rule ``sandbox``) where it does not work."""
    sandbox: Sandbox = Bubblewrap() if name == "bubblewrap" else Unprotected()
    if (reason := sandbox.available()) is not None:
        raise Refused(
            f"repository.sandbox: {name} does not work here: {reason}. Nothing is run without it; "
            "make it work, or write 'none' to run setup and tests unprotected.",
            rule="sandbox",
            setting="repository.sandbox",
        )
    return sandbox


def sandbox_problem() -> str | None:
    """Return why bubblewrap does not work here, None where it does."""
    return Bubblewrap().available()


class Unprotected:
    """Run as this user: clean environment, own home, limits, all children ended; nothing else."""

    name = "none"

    def available(self) -> str | None:
        return None

    def run(self, command: str, room: Room, limits: Limits, *, network: bool = False) -> Result:
        room.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="aiops-", ignore_cleanup_errors=True) as temporary:
            env = _environment(str(room.work), str(room.home), temporary, network=network)
            env["PIP_REQUIRE_VIRTUALENV"] = "1"  # never into the Python this program runs on
            writable = (room.work, room.home, Path(temporary))
            return run_limited(
                ["/bin/sh", "-c", command], env=env, cwd=room.work, limits=limits, writable=writable
            )


class Bubblewrap:
    """Run in namespaces of its own: no network, no secrets, nothing writable but its room."""

    name = "bubblewrap"

    def available(self) -> str | None:
        return self._reason

    def run(
        self,
        command: str,
        room: Room,
        limits: Limits,
        *,
        network: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        room.home.mkdir(parents=True, exist_ok=True)
        own = _environment(WORK, HOME, "/tmp", network=network)  # noqa: S108 the sandbox's own
        own["PIP_BREAK_SYSTEM_PACKAGES"] = "1"  # a --user install, into the home of the sandbox
        with _profile(own | dict(env or {}), room, network=network) as profile:
            argv = [*profile, "--", "/bin/sh", "-c", command]
            writable = (room.work, room.home)
            return run_limited(
                argv, env={"PATH": os.defpath}, cwd=room.work, limits=limits, writable=writable
            )

    @cached_property
    def _reason(self) -> str | None:
        if shutil.which("bwrap") is None:
            return "the program bwrap is not installed (package bubblewrap)"
        with tempfile.TemporaryDirectory(prefix="aiops-") as directory:
            room = Room(Path(directory), Path(directory))
            with _profile({}, room, network=False) as profile:
                return _probe([*profile, "--", "/bin/sh", "-c", "true"])


def _probe(argv: list[str]) -> str | None:
    try:
        done = subprocess.run(argv, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bwrap cannot be run ({error})"
    said = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
    return None if done.returncode == 0 else said.removeprefix("bwrap: ")[:300].rstrip(".")


@contextmanager
def _profile(env: Mapping[str, str], room: Room, *, network: bool) -> Iterator[list[str]]:
    with tempfile.NamedTemporaryFile("w", prefix="passwd-", dir=room.home.parent) as passwd:
        passwd.write(_PASSWD)
        passwd.flush()
        Path(passwd.name).chmod(0o644)
        yield [
            shutil.which("bwrap") or "bwrap",
            *("--unshare-all", *(["--share-net"] if network else []), "--die-with-parent", "--new-session"),
            *("--unshare-user", "--uid", str(_USER), "--gid", str(_USER), "--cap-drop", "ALL", "--clearenv"),
            *(word for name, value in env.items() for word in ("--setenv", name, value)),
            *("--proc", "/proc", "--dev", "/dev"),
            *("--size", str(_TMP_SIZE), "--tmpfs", "/tmp"),  # noqa: S108 before any bind below /tmp
            *("--size", str(_TMP_SIZE), "--tmpfs", "/dev/shm"),  # noqa: S108 the sandbox's own
            *_system_binds(network=network),
            *("--ro-bind", passwd.name, "/etc/passwd"),
            *(word for path in toolchain() for word in ("--ro-bind", path, path)),
            *(word for path in map(str, room.shown) for word in ("--ro-bind", path, path)),
            *("--bind", str(room.work), WORK, "--bind", str(room.home), HOME),
            *("--remount-ro", "/", "--chdir", WORK),
        ]


def _system_binds(*, network: bool) -> list[str]:
    words: list[str] = []
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    etc = Path("/etc")
    names = [*_ETC, *(_ETC_NETWORK if network else ())]
    paths = [etc / name for name in names] + [path for glob in _ETC_TOOLS for path in sorted(etc.glob(glob))]
    for path in paths:
        if path.exists():
            words += ["--ro-bind", str(path.resolve()), str(path)]
    return words


def _environment(work: str, home: str, temporary: str, *, network: bool) -> dict[str, str]:
    env = {
        "PATH": os.pathsep.join([f"{home}/.venv/bin", f"{home}/.local/bin", *search_path()]),
        "HOME": home,
        "PWD": work,
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        "USER": "aiops",
        "LOGNAME": "aiops",
    }
    return env | (network_variables() if network else {})
