"""What a run answers over HTTP."""

import http.client
import json
import logging
import socket

import pytest

from aiops_core.errors import UserError
from aiops_core.watch import Board
from aiops_core.watch.serve import serve


@pytest.fixture
def ask():
    """Serve a board at a free port; return the board, and how to ask for a page."""
    board, ends = Board(), []

    def start(metrics=None):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        ends.append(serve(f"127.0.0.1:{port}", board, metrics, logging.getLogger("aiops.test")))

        def get(path, method="GET"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        get.port = port
        return board, get

    yield start
    for end in ends:
        end()


def test_a_process_that_answers_is_healthy(ask):
    _, get = ask()

    assert get("/healthz") == (200, "ok\n")
    assert get("/healthz", "HEAD") == (200, "")
    assert get("/nothing")[0] == 404


def test_it_is_ready_unless_something_that_blocks_is_wrong(ask):
    board, get = ask()
    board.note("disk /var/log", "little space")

    assert get("/readyz")[0] == 200

    board.note("store", "no space is left on the disk", blocks=True)
    status, body = get("/readyz")

    assert (status, json.loads(body)) == (
        503,
        {
            "ready": False,
            "problems": {"disk /var/log": "little space", "store": "no space is left on the disk"},
        },
    )


def test_figures_are_written_where_there_are_any(ask):
    assert ask(lambda: b"aiops_ready 1\n")[1]("/metrics") == (200, "aiops_ready 1\n")
    assert ask()[1]("/metrics")[0] == 501


def test_clients_that_say_nothing_keep_nobody_waiting(ask):
    _, get = ask()
    slow = [socket.create_connection(("127.0.0.1", get.port)) for _ in range(100)]
    try:
        assert get("/healthz")[0] == 200
    finally:
        for one in slow:
            one.close()


def test_an_address_that_is_taken_is_told():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UserError, match="Write another address"),
    ):
        serve(f"127.0.0.1:{taken.getsockname()[1]}", Board(), None, logging.getLogger("aiops.test"))
