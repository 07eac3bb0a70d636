"""Run an http source in a thread on a free loopback port, and commit what it yields as a host would."""

import http.client
import json
import logging
import socket
import ssl
import threading
import time
from dataclasses import dataclass

import pytest
import trustme
from aiops_source_http import HttpConfig, HttpSource

from aiops_core import Context

DEADLINE = 10.0


@dataclass
class Response:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        return self.json["message"]


class Receiver:
    """One run after the other of one configured source; `hold` lets commits wait."""

    def __init__(self, directory, **settings):
        self.settings = {"listen": "127.0.0.1:0", **settings}
        self.directory = directory
        self.batches = []
        self.messages = []
        self.positions = {}
        self.failure = None
        self.tls = None
        self._going = threading.Event()
        self._going.set()
        self._thread = None

    def start(self):
        self.context = Context(
            name="http", directory=self.directory, logger=self._logger(), stopping=threading.Event()
        )
        self.component = HttpSource(HttpConfig(**self.settings), self.context)
        self.component.start()
        self.port = self.component.address.port
        self._thread = threading.Thread(target=self._run, args=(dict(self.positions),))
        self._thread.start()
        return self

    def stop(self):
        if self._thread is None:
            return self
        self.context.stopping.set()
        self._going.set()
        self.component.stop()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the source did not stop"
        self._thread = None
        if self.failure:
            raise self.failure
        return self

    def hold(self):
        self._going.clear()

    def release(self):
        self._going.set()

    def _run(self, positions):
        try:
            for batch in self.component.source(positions):
                self.batches.append(batch)
                self._going.wait(DEADLINE)
                if self.context.stopping.is_set():
                    return
                self.positions[batch.stream] = batch.end
                self.component.committed(batch.stream, batch.end)
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            self.failure = error

    def _logger(self):
        logger = logging.Logger("http")
        handler = logging.Handler()
        handler.emit = lambda record: self.messages.append(record.getMessage())
        logger.addHandler(handler)
        return logger

    @property
    def data(self):
        return b"".join(batch.data for batch in list(self.batches))

    @property
    def lines(self):
        return self.data.splitlines()

    @property
    def records(self):
        return [json.loads(line) for line in self.lines]

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        return self.tls.wrap_socket(client, server_hostname="127.0.0.1") if self.tls else client

    def post(self, path, body=b"", *, kind="", method="POST", **headers):
        """Send one request on a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        client.sock = self.connect()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            client.request(method, path, body, {"Content-Type": kind, **names} if kind else names)
            answer = client.getresponse()
            return Response(answer.status, dict(answer.headers), answer.read())
        finally:
            client.close()

    def say(self, *parts):
        """Send raw bytes and return everything that comes back until the end."""
        with self.connect() as client:
            for part in parts:
                client.sendall(part)
            return b"".join(iter(lambda: client.recv(65536), b""))

    def wait(self, predicate, what="what was expected", seconds=DEADLINE):
        deadline = time.monotonic() + seconds
        while not predicate():
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.batches} {self.messages}"
            if self.failure:
                raise self.failure
            time.sleep(0.002)


@pytest.fixture
def receiver(tmp_path):
    """Make sources that listen; every one is stopped at the end."""
    made = []

    def make(**settings):
        made.append(Receiver(tmp_path, **settings))
        return made[-1].start()

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def in_background():
    """Run functions beside the test; `result()` of what it returns waits for one."""
    threads = []

    class Later:
        def __init__(self, function, *arguments, **named):
            self._found = []
            self._thread = threading.Thread(
                target=lambda: self._found.append(function(*arguments, **named)), daemon=True
            )
            self._thread.start()
            threads.append(self._thread)

        @property
        def is_done(self):
            return bool(self._found)

        def result(self):
            self._thread.join(DEADLINE)
            return self._found[0]

    yield Later
    for thread in threads:
        thread.join(DEADLINE)


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
