"""Run one command that reaches one socket file through a local port; a program, not a module.

Called inside a sandbox without network as ``python -I -S _bridge.py SOCKET PORT INPUT COMMAND…``.
The command reads the file INPUT as its standard input. Needs the standard library only.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

_CHUNK = 1 << 16


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code, 128 + n for signal n."""
    target, port, question, *command = arguments
    listener = socket.create_server(("127.0.0.1", int(port)))
    threading.Thread(target=_accept, args=(listener, target), daemon=True).start()
    with Path(question).open("rb") as text:
        code = subprocess.run(command, stdin=text, check=False).returncode
    return code if code >= 0 else 128 - code


def _accept(listener: socket.socket, target: str) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_join, args=(client, target), daemon=True).start()


def _join(client: socket.socket, target: str) -> None:
    with client, socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(target)
        except OSError:
            return
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side went away


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
