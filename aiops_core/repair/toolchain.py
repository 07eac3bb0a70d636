"""The programs a test command finds on this machine, and nothing of their owner's."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64")
_NETWORK = (
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *(
        "ssl_cert_file",
        "ssl_cert_dir",
        "requests_ca_bundle",
        "pip_index_url",
        "pip_cert",
        "npm_config_registry",
    ),
)


def search_path() -> list[str]:
    """Return the directories of PATH that exist, this interpreter's after them."""
    entries = [*os.environ.get("PATH", os.defpath).split(os.pathsep), str(Path(sys.executable).parent)]
    return [entry for entry in dict.fromkeys(entries) if entry.startswith("/") and Path(entry).is_dir()]


def toolchain() -> list[str]:
    """Return what must be readable outside /usr for the programs on PATH to run, outermost first.

    A directory ``bin`` brings its siblings ``lib``, ``libexec`` and ``include``, one of shims
    the version manager it belongs to; never a whole home.
    """
    found = sorted({path for path in _readable() if path.is_dir() and not _is_home(path)})
    own = [path for path in found if not any(path.is_relative_to(top) for top in _SYSTEM)]
    return [str(path) for path in own if not any(other in path.parents for other in own)]


def network_variables() -> dict[str, str]:
    """Return the variables that downloads need here, without those that hold a credential."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.lower() in _NETWORK and "@" not in urlsplit(value).netloc
    }


def _readable() -> Iterator[Path]:
    yield Path(sys.prefix)
    yield Path(sys.base_prefix)
    for entry in map(Path, search_path()):
        yield entry
        if entry.name == "shims":
            yield entry.parent
        elif entry.name == "bin":
            yield from (entry.parent / name for name in ("lib", "lib64", "libexec", "include"))


def _is_home(path: Path) -> bool:
    homes = {Path.home(), Path(pwd.getpwuid(os.getuid()).pw_dir)}
    return any(home == path or home.is_relative_to(path) for home in homes)
