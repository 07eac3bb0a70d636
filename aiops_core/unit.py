"""The systemd unit that keeps ``aiops run`` going."""

from __future__ import annotations

import shlex
from pathlib import Path

from msgspec import Struct

_UNIT = """\
# Written by 'aiops service'. Change it with 'systemctl edit {name}', so that it can be written again.
[Unit]
Description=aiops: watches logs, explains errors, proposes fixes
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
WatchdogSec=600
TimeoutStartSec=600
# Its group is the user's own.
User={user}
# Who may read the journal and /var/log.
SupplementaryGroups={groups}
WorkingDirectory={directory}
# Keys, one NAME=value a line; readable by root alone (chmod 600).
EnvironmentFile=-{environment}
ExecStartPre={aiops} check {pipeline}
ExecStart={aiops} run {pipeline}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5
TimeoutStopSec=20
KillMode=mixed

# It may read logs and write its state, and little else.
ReadWritePaths={state}
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelModules=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
UMask=0077
LimitNOFILE=65536
{sandbox}
[Install]
WantedBy=multi-user.target
"""
_WITH_TESTS = """\
# A fix is tested in bubblewrap, which makes namespaces and mounts of its own: what would forbid that is left out
# (RestrictNamespaces, ProtectKernelTunables, ProtectKernelLogs, ProtectControlGroups, ProtectProc, @mount).
SystemCallFilter=@system-service @mount pivot_root
"""
_WITHOUT_TESTS = """\
ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictNamespaces=yes
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
"""


class Service(Struct, frozen=True):
    """What runs as a service: the program, its pipeline file and state, and who it runs as."""

    aiops: Path
    pipeline: Path
    state: Path
    user: str
    name: str = "aiops"
    groups: tuple[str, ...] = ("systemd-journal", "adm")
    runs_tests: bool = True
    """Whether fixes are tested, in a sandbox that needs namespaces."""

    def unit(self) -> str:
        """Return the text of the unit file."""
        return _UNIT.format(
            name=self.name,
            user=self.user,
            groups=" ".join(self.groups),
            directory=_escaped(self.pipeline.parent),
            environment=_escaped(environment_file(self.pipeline, self.name)),
            aiops=_quoted(self.aiops),
            pipeline=_quoted(self.pipeline),
            state=_quoted(self.state),
            sandbox=_WITH_TESTS if self.runs_tests else _WITHOUT_TESTS,
        )


def environment_file(pipeline: Path, name: str) -> Path:
    """Return where the keys of a service stand."""
    return pipeline.parent / f"{name}.env"


def _escaped(path: Path) -> str:
    """Return a path as settings of one path take it: nothing is quoted there."""
    return str(path).replace("%", "%%")


def _quoted(path: Path) -> str:
    text = _escaped(path)
    return text if text == shlex.quote(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
