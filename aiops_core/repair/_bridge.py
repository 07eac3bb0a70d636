"""Run one command that reaches one socket file through a local port; a program, not a module.

Called inside a sandbox without network as ``python -I -S _bridge.py SOCKET PORT INPUT COMMAND…``.
The command reads the file INPUT as its standard input. Needs the standard library only.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

_CHUNK = 1 << 16
_CANNOT_START = 126


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code, 128 + n for signal n."""
    target, port, question, *command = arguments
    listener = socket.create_server(("127.0.0.1", int(port)))
    child = os.fork()
    if child == 0:
        _become(command, question)
    threading.Thread(target=_accept, args=(listener, target), daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


def _become(command: list[str], question: str) -> None:
    try:
        os.dup2(os.open(question, os.O_RDONLY), 0)
        os.execvp(command[0], command)  # noqa: S606 the command is ours to run
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_CANNOT_START)


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
