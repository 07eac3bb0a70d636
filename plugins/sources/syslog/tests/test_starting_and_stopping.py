"""How the source starts and stops, and which settings cannot be."""

import socket
import time

import pytest
from aiops_source_syslog import SyslogConfig, SyslogSource
from aiops_source_syslog.inbox import Inbox
from pydantic import ValidationError

from aiops_core import Context, UserError


def test_one_source_listens_on_several_addresses(listener):
    source = listener("udp://127.0.0.1:0", "tcp://127.0.0.1:0", "tcp://[::1]:0")

    source.datagram(b"<13>datagram", index=0)
    source.send(b"<13>four\n", index=1)
    with socket.create_connection(("::1", source.port(2))) as client:
        client.sendall(b"<13>six\n")

    source.wait(lambda: sorted(source.lines) == [b"<13>datagram", b"<13>four", b"<13>six"])
    assert {batch.attributes["peer"] for batch in source.chunks} == {"127.0.0.1", "::1"}


def test_an_ipv4_host_has_one_name_whatever_the_socket(listener):
    source = listener("tcp://[::]:0")

    source.send(b"<13>a\n")

    source.wait_for(b"<13>a\n")
    assert source.chunks[0].attributes["peer"] == "127.0.0.1"


def test_the_source_stops_within_a_second_and_lets_the_ports_go(listener):
    source = listener("udp://127.0.0.1:0", "tcp://127.0.0.1:0")
    ports = [address.port for address in source.addresses]

    with source.connect(1) as client:
        client.sendall(b"<13>a\n")
        source.wait_for(b"<13>a\n")
        source.stop()

    assert source.took < 5  # on a busy machine
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind(("127.0.0.1", ports[0]))
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(("127.0.0.1", ports[1]))


def test_a_run_with_once_ends_at_once_and_says_why(tmp_path, caplog):
    component = SyslogSource(SyslogConfig(), Context(name="syslog", once=True, directory=tmp_path))

    component.start()

    assert list(component.source({})) == []
    assert caplog.messages == [
        "syslog: takes what is sent while it listens, so a run with --once reads nothing here. Run without --once."
    ]
    assert component.addresses == ()
    component.stop()


def test_a_port_in_use_is_a_mistake_told_at_the_start(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        listen = ["udp://127.0.0.1:0", f"tcp://127.0.0.1:{port}"]
        component = SyslogSource(SyslogConfig(listen=listen), Context(directory=tmp_path))

        with pytest.raises(UserError) as told:
            component.start()

    assert str(told.value) == (
        f"listen: tcp://127.0.0.1:{port}: Address already in use. Stop what listens there, or use another port"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"certificate": "no.pem"}, "certificate no.pem: No such file or directory. "),
        ({"certificate": "bad.pem"}, "certificate bad.pem: cannot be used. "),
        (
            {"certificate": "cert.pem", "key": "locked.pem"},
            "certificate cert.pem, key locked.pem: cannot be used. ",
        ),
        (
            {"certificate": "cert.pem", "key": "key.pem", "client_ca": "bad.pem"},
            "client_ca bad.pem: cannot be used. ",
        ),
    ],
)
def test_certificates_that_cannot_be_used_are_told_at_the_start(tmp_path, authority, settings, message):
    (tmp_path / "bad.pem").write_text("no certificate")
    (tmp_path / "locked.pem").write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    config = SyslogConfig(listen=["tls://127.0.0.1:0"], **settings)

    with pytest.raises(UserError) as told:
        SyslogSource(config, Context(directory=tmp_path)).start()

    assert str(told.value).startswith(message)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"listen": ["127.0.0.1:514"]}, "write udp://, tcp:// or tls://, a host and a port"),
        ({"listen": ["udp://127.0.0.1"]}, "write udp://, tcp:// or tls://, a host and a port"),
        ({"listen": ["udp://127.0.0.1:99999"]}, "write udp://, tcp:// or tls://, a host and a port"),
        ({"listen": []}, "at least 1 item"),
        ({"listen": ["tls://127.0.0.1:6514"]}, "a tls:// address needs a certificate"),
    ],
)
def test_mistakes_in_the_settings_are_told(settings, message):
    with pytest.raises(ValidationError, match=message):
        SyslogConfig(**settings)


def test_what_was_received_is_handed_over_at_a_stop(listener, monkeypatch):
    received, put, take = [], Inbox.put, Inbox.take
    monkeypatch.setattr(Inbox, "put", lambda self, *piece: (put(self, *piece), received.append(piece))[0])
    source = listener("tcp://127.0.0.1:0")
    is_stopping = source.context.stopping.is_set
    monkeypatch.setattr(
        Inbox, "take", lambda self, wait: take(self, wait) if is_stopping() else time.sleep(0.01) or []
    )

    for name in (b"a", b"b", b"c"):
        source.send(b"<13>" + name + b"\n")
    source.wait(lambda: len(received) == 3)
    source.stop()

    assert sorted(source.lines) == [b"<13>a", b"<13>b", b"<13>c"]
