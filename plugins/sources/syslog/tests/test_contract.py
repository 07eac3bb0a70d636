import socket
from contextlib import contextmanager

from aiops_source_syslog import SyslogSource

from aiops_core.testing import Bench, contract

LINES = b"<11>May  4 11:00:00 web1 shop[7]: one\n<11>May  4 11:00:00 web1 shop[7]: two\n"


def send(source, unwanted=b""):
    with socket.create_connection(("127.0.0.1", source.addresses[0].port), timeout=5) as client:
        client.sendall(unwanted + b"<11>" + unwanted + LINES)


@contextmanager
def listener(directory):
    yield Bench({"listen": ["tcp://127.0.0.1:0"]}, directory=directory, feed=send, last=b"two\n", send=send)


test_contract = contract(SyslogSource, listener)
