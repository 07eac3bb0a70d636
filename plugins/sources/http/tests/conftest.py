"""Run an http source on a free loopback port, and speak to it."""

import http.client
import json
import socket
import threading
from dataclasses import dataclass

import pytest
from aiops_source_http import HttpConfig, HttpSource

from aiops_core.testing import SourceRun
from aiops_core.testing.source_run import DEADLINE


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


class Receiver(SourceRun):
    """Runs of one configured source."""

    def __init__(self, directory, **settings):
        super().__init__(self._source, directory, name="http")
        self.settings = {"listen": "127.0.0.1:0", **settings}
        self.tls = None

    def _source(self, context):
        return HttpSource(HttpConfig(**self.settings), context)

    def start(self):
        super().start()
        self.port = self.component.address.port
        return self

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
