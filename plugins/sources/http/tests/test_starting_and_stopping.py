"""How the source starts and stops, and which settings cannot be."""

import json
import shutil
import socket
import subprocess
import threading
import time

import pytest
from aiops_source_http import HttpConfig, HttpSource
from pydantic import ValidationError

from aiops_core import Context, UserError

NDJSON = "application/x-ndjson"
ONE = b'{"message": "one"}\n'


def head(*lines):
    return "\r\n".join(["POST / HTTP/1.1", "Host: a", "Content-Type: text/plain", *lines, "", ""]).encode()


def test_while_it_stops_new_requests_are_503_and_committed_ones_are_still_answered(receiver, in_background):
    source = receiver()
    source.hold()
    first = in_background(source.post, "/", b"first\n")
    source.wait(lambda: source.batches)
    second = in_background(source.post, "/", b"second\n")
    source.wait(lambda: len(source.component._intake._waiting) == 1)

    source.context.stopping.set()
    source._going.set()
    source._thread.join(10)
    late = source.post("/", b"late\n")
    source.component.committed("http", source.batches[0].end)
    answered = first.result()
    source.component.stop()

    assert (late.status, late.headers["Retry-After"]) == (503, "1")
    assert late.reason == "this receiver is stopping. Send it again"
    assert answered.status == 200
    assert second.result().status == 503


def test_an_address_that_was_let_go_is_none(receiver):
    source = receiver()
    source.component._bound.close()  # as the network thread does when it ends

    assert source.component.address is None


def test_the_source_stops_within_a_second_and_lets_the_port_go(receiver):
    source = receiver()

    with source.connect() as idle:
        idle.sendall(head("Content-Length: 4") + b"one\n")
        assert idle.recv(1000)
        began = time.monotonic()
        source.stop()

    assert time.monotonic() - began < 5
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", source.port))
    assert not [thread for thread in threading.enumerate() if thread.name == "http"]


def test_a_source_stopped_before_it_begins_leaves_nothing_behind(tmp_path):
    component = HttpSource(HttpConfig(listen="127.0.0.1:0"), Context(name="http", directory=tmp_path))

    component.start()
    component.context.stopping.set()
    component.stop()
    batches = list(component.source({}))

    assert batches == []
    assert component.address is None
    assert not [thread for thread in threading.enumerate() if thread.name == "http"]


def test_a_run_with_once_ends_at_once_and_says_why(tmp_path, caplog):
    component = HttpSource(HttpConfig(), Context(name="http", once=True, directory=tmp_path))

    component.start()

    assert list(component.source({})) == []
    assert caplog.messages == [
        "http: takes what is sent while it listens, so a run with --once reads nothing here. Run without --once."
    ]
    assert component.address is None
    component.stop()


def test_a_port_in_use_is_a_mistake_told_at_the_start(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        component = HttpSource(HttpConfig(listen=f"127.0.0.1:{port}"), Context(directory=tmp_path))

        with pytest.raises(UserError) as told:
            component.start()

    assert str(told.value) == (
        f"listen: 127.0.0.1:{port}: Address already in use. Stop what listens there, or use another port"
    )


def test_an_open_door_to_the_network_is_told(tmp_path, caplog):
    for settings in ({}, {"token": "t"}):
        component = HttpSource(
            HttpConfig(listen="0.0.0.0:0", **settings), Context(name="http", directory=tmp_path)
        )
        component.start()
        component.stop()

    assert caplog.messages == [
        "http: whoever reaches 0.0.0.0:0 may write log records. Set token or client_ca."
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"listen": "4318"}, "write a host and a port, as in 127.0.0.1:4318"),
        ({"listen": "127.0.0.1:99999"}, "write a host and a port, as in 127.0.0.1:4318"),
        ({"client_ca": "ca.pem"}, "client_ca works over HTTPS only"),
        ({"max_body": "65MB"}, "backlog is smaller than max_body"),
        ({"token": "two words"}, "no bearer token: use letters, digits"),
        ({"token": ""}, "no bearer token: use letters, digits"),
    ],
)
def test_mistakes_in_the_settings_are_told(settings, message):
    with pytest.raises(ValidationError, match=message) as told:
        HttpConfig(**settings)

    assert "two words" not in str(told.value)


def test_certificates_that_cannot_be_used_are_told_at_the_start(tmp_path):
    component = HttpSource(HttpConfig(certificate="no.pem"), Context(directory=tmp_path))

    with pytest.raises(UserError) as told:
        component.start()

    assert str(told.value) == (
        "certificate no.pem: No such file or directory. Name a PEM certificate and its unlocked key"
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
def test_curl_sends_what_the_readme_says(receiver, tmp_path):
    source = receiver(token="t0")
    (tmp_path / "app.log").write_bytes(ONE)

    command = ["curl", "-sS", "--data-binary", f"@{tmp_path / 'app.log'}", "-H", f"Content-Type: {NDJSON}"]
    command += ["-H", "Authorization: Bearer t0", f"http://127.0.0.1:{source.port}/"]
    done = subprocess.run(command, capture_output=True, timeout=10)

    assert json.loads(done.stdout) == {"accepted": 1, "rejected": 0}
