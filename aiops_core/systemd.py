"""Tell systemd how the service does, where systemd started it as one that tells."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify_systemd(state: str) -> None:
    """Send ``READY=1``, ``WATCHDOG=1`` and the like; do nothing elsewhere."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.connect(f"\0{address[1:]}" if address[0] == "@" else address)
        sender.send(state.encode())
