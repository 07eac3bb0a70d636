"""Run a syslog source in a thread on free loopback ports, and keep what it yields as a host would."""

import logging
import socket
import ssl
import threading
import time

import pytest
import trustme
from aiops_source_syslog import SyslogConfig, SyslogSource

from aiops_core import Context

DEADLINE = 10.0


class Listener:
    """One run after the other of one configured source; `hold` lets the pipeline fall behind."""

    def __init__(self, directory, *listen, **settings):
        self.settings = {"listen": list(listen), **settings}
        self.directory = directory
        self.batches = []
        self.messages = []
        self.state = {}
        self.failure = None
        self._going = threading.Event()
        self._going.set()
        self._thread = None

    def start(self):
        self.context = Context(
            name="syslog", directory=self.directory, logger=self._logger(), stopping=threading.Event()
        )
        self.context.state.update(self.state)
        self.component = SyslogSource(SyslogConfig(**self.settings), self.context)
        self.component.start()
        self.addresses = self.component.addresses
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def stop(self):
        if self._thread is None:
            return self
        began = time.monotonic()
        self._going.set()
        self.context.stopping.set()
        self.component.stop()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the source did not stop"
        self.took = time.monotonic() - began
        self._thread = None
        self.state = dict(self.context.state)
        if self.failure:
            raise self.failure
        return self

    def hold(self):
        self._going.clear()

    def release(self):
        self._going.set()

    def _run(self):
        try:
            for batch in self.component.source({}):
                self.batches.append(batch)
                self._going.wait(DEADLINE)
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            self.failure = error

    def _logger(self):
        logger = logging.Logger("syslog")
        handler = logging.Handler()
        handler.emit = lambda record: self.messages.append(record.getMessage())
        logger.addHandler(handler)
        return logger

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
    def chunks(self):
        return [batch for batch in list(self.batches) if batch.data]

    @property
    def data(self):
        return b"".join(batch.data for batch in list(self.batches))

    @property
    def lines(self):
        return self.data.splitlines()

    def wait(self, predicate, what="what was expected", seconds=DEADLINE):
        deadline = time.monotonic() + seconds
        while not predicate():
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.batches} {self.messages}"
            if self.failure:
                raise self.failure
            time.sleep(0.002)

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


@pytest.fixture
def authority(tmp_path):
    """Put a server certificate into the folder; return the authority behind it."""
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    server.private_key_pem.write_to_path(tmp_path / "key.pem")
    server.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return authority


@pytest.fixture
def trusting(authority):
    """Return how a client trusts the server; with a name it shows a certificate of its own."""

    def make(name=""):
        context = ssl.create_default_context()
        authority.configure_trust(context)
        if name:
            authority.issue_cert(name).configure_cert(context)
        return context

    return make
