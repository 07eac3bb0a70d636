"""Messages over TLS, and clients that may not send any."""

import select
import ssl

import pytest

FIRST = b"<13>1 2026-05-04T12:00:00Z web shop 7 - - one"
SECOND = b"<11>May  4 12:00:01 web shop[7]: two"


def counted(message):
    return b"%d %s" % (len(message), message)


def test_tls_carries_what_tcp_does(listener, trusting):
    source = listener("tls://127.0.0.1:0", certificate="cert.pem", key="key.pem")

    with trusting().wrap_socket(source.connect(), server_hostname="127.0.0.1") as client:
        client.sendall(counted(FIRST) + SECOND + b"\n")
        source.wait_for(FIRST + b"\n" + SECOND + b"\n")


def test_a_sender_that_never_reads_has_nothing_to_read_when_it_hangs_up(listener, trusting):
    source = listener("tls://127.0.0.1:0", certificate="cert.pem", key="key.pem")

    with trusting().wrap_socket(source.connect(), server_hostname="127.0.0.1") as client:
        client.sendall(b"<13>one\n")
        source.wait_for(b"<13>one\n")
        # Unread bytes make a close a reset, and a reset takes along what the receiver has not read yet.
        assert select.select([client], [], [], 0)[0] == []


def test_a_client_without_a_certificate_of_the_client_ca_is_refused(listener, trusting):
    source = listener("tls://127.0.0.1:0", certificate="cert.pem", key="key.pem", client_ca="ca.pem")

    with trusting("127.0.0.1").wrap_socket(source.connect(), server_hostname="127.0.0.1") as known:
        known.sendall(b"<13>known\n")
        source.wait_for(b"<13>known\n")
    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        trusting().wrap_socket(source.connect(), server_hostname="127.0.0.1") as unknown,
    ):
        unknown.sendall(b"<13>unknown\n")
        while unknown.recv(100):
            pass
        raise ConnectionResetError("the server hung up")

    source.wait(lambda: source.messages)
    assert "failed before a message: PEER_DID_NOT_RETURN_A_CERTIFICATE." in source.messages[0]
    assert source.data == b"<13>known\n"


def test_clear_text_at_a_tls_address_is_told_and_harms_nobody(listener, trusting):
    source = listener("tls://127.0.0.1:0", certificate="cert.pem", key="key.pem")

    source.send(b"<13>clear\n")

    source.wait(lambda: source.messages)
    assert f"tls://127.0.0.1:{source.port()}: 1 connection failed before a message" in source.messages[0]
    with trusting().wrap_socket(source.connect(), server_hostname="127.0.0.1") as client:
        client.sendall(b"<13>fine\n")
        source.wait_for(b"<13>fine\n")


def test_a_connection_that_never_finishes_its_handshake_counts_as_one_and_goes(
    listener, trusting, monkeypatch
):
    monkeypatch.setattr("aiops_source_syslog.server.HANDSHAKE", 0.2)
    source = listener("tls://127.0.0.1:0", certificate="cert.pem", key="key.pem", connections=1)

    with source.connect() as silent:
        with source.connect() as refused:
            assert refused.recv(1) == b""
        assert silent.recv(1) == b""

    source.wait(lambda: len(source.messages) == 2)
    with trusting().wrap_socket(source.connect(), server_hostname="127.0.0.1") as client:
        client.sendall(b"<13>fine\n")
        source.wait_for(b"<13>fine\n")
