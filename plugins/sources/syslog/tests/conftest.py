"""Run a syslog source on free loopback ports, and speak to it."""

import socket
import time

import pytest
from aiops_source_syslog import SyslogConfig, SyslogSource

from aiops_core.testing import SourceRun
from aiops_core.testing.source_run import DEADLINE


class Listener(SourceRun):
    """Runs of one configured source; `took` is how long the last one needed to stop."""

    def __init__(self, directory, *listen, **settings):
        super().__init__(self._source, directory, name="syslog")
        self.settings = {"listen": list(listen), **settings}

    def _source(self, context):
        return SyslogSource(SyslogConfig(**self.settings), context)

    def start(self):
        super().start()
        self.addresses = self.component.addresses
        return self

    def stop(self):
        began = time.monotonic()
        super().stop()
        self.took = time.monotonic() - began
        return self

    def port(self, index=0):
        return self.addresses[index].port

    def connect(self, index=0):
        return socket.create_connection(("127.0.0.1", self.port(index)), timeout=DEADLINE)

    def send(self, *parts, index=0):
        """Send over TCP in so many writes, and hang up."""
        with self.connect(index) as client:
            for part in parts:
                client.sendall(part)

    def datagram(self, data, index=0):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(data, ("127.0.0.1", self.port(index)))

    @property
    def lines(self):
        return self.data.splitlines()

    def wait_for(self, data):
        self.wait(lambda: len(self.data) >= len(data), f"{data[:200]}")
        assert self.data == data


@pytest.fixture
def listener(tmp_path):
    """Make sources that listen; every one is stopped at the end."""
    made = []

    def make(*listen, **settings):
        made.append(Listener(tmp_path, *(listen or ["tcp://127.0.0.1:0"]), **settings))
        return made[-1].start()

    yield make
    for one in made:
        one.stop()
