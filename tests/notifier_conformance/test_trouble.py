"""What every notifier that posts makes of an unfriendly peer."""

import logging
import socket
from contextlib import nullcontext
from datetime import timedelta
from time import monotonic

import pytest

from aiops_core import AiopsError, Context, Retry, UserError
from aiops_core.testing.chat_bench import NOON, REPORT
from aiops_core.testing.http_peer import HttpPeer, Reply


def error_of(bench, *replies, kind=Exception, **changes):
    with HttpPeer(replies, usual=bench.fine) as peer, pytest.raises(kind) as caught:
        bench.make(peer.url, **changes).notify(REPORT)
    assert str(caught.value).startswith(f"{bench.notifier.service} to {peer.url}: ")
    return caught.value


def test_a_refusal_in_an_answer_that_looks_fine_is_a_failure_for_good(of, refused):
    error = error_of(of, refused, kind=UserError)

    assert ": refused (" in str(error)
    assert str(error).endswith(".")


def test_trouble_in_an_answer_that_looks_fine_is_tried_again(of, busy):
    error_of(of, busy, kind=Retry)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_an_answer_that_may_pass_is_tried_again(bench, status):
    error = error_of(bench, Reply(status, b"later"), kind=Retry)

    assert f": not now ({status} later)." in str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_an_answer_that_will_not_pass_is_not_tried_again(bench, status):
    error = error_of(bench, Reply(status, b"no"), kind=UserError)

    assert f": refused ({status} no). " in str(error)


def test_nothing_is_sent_in_the_time_the_service_asks_to_wait(bench):
    reply = Reply(429, b"slow down", {"Retry-After": "30"})
    with HttpPeer([reply], usual=bench.fine) as peer:
        notifier = bench.make(peer.url)
        with pytest.raises(Retry) as first:
            notifier.notify(REPORT)
        with pytest.raises(Retry) as second:
            notifier.notify(REPORT)

        assert len(peer.requests) == 1
    assert first.value.after == 30
    assert 25 < second.value.after <= 31


def test_a_connection_that_breaks_is_tried_again(bench):
    error_of(bench, Reply(reset=True), kind=Retry)


def test_nobody_listening_is_tried_again(bench):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(Retry):
        bench.make(f"http://127.0.0.1:{port}").notify(REPORT)


@pytest.mark.parametrize(
    "reply", [Reply(delay=20), Reply(body=b"x" * 900, pause=0.05)], ids=["silent", "slow"]
)
def test_a_slow_peer_is_left_at_the_deadline_of_the_whole_delivery(bench, reply):
    began = monotonic()

    error = error_of(bench, reply, kind=Retry, timeout=timedelta(seconds=0.15))

    assert str(error).endswith(": no answer within 0.15 s.")
    assert monotonic() - began < 10


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(bench, status):
    with HttpPeer() as other:
        error = error_of(bench, Reply(status, headers={"Location": f"{other.url}/x"}), kind=UserError)

        assert f": it redirects ({status}), which is never followed." in str(error)
        assert other.requests == []


def test_a_certificate_nobody_vouches_for_is_refused(bench, tls_peer):
    with pytest.raises(UserError, match="the certificate cannot be trusted"):
        bench.make(tls_peer.url).notify(REPORT)


def test_the_named_authority_is_trusted(bench):
    with HttpPeer(usual=bench.fine, tls=True) as peer:
        bench.make(peer.url, ca_file=peer.ca_file).notify(REPORT)

        assert peer.requests


def test_a_missing_authority_file_is_found_at_start(bench, tmp_path):
    notifier = bench.make("http://127.0.0.1:1", ca_file="ca.pem")
    notifier.context = Context(directory=tmp_path, clock=lambda: NOON)

    with pytest.raises(UserError, match=r"ca_file: .*ca\.pem: No such file or directory\."):
        notifier.start()


@pytest.mark.parametrize("status", [200, 400, 500])
def test_no_secret_reaches_a_log_an_error_or_a_receipt(bench, status, caplog):
    caplog.set_level(logging.DEBUG)
    echo = Reply(status, " ".join(bench.secrets).encode()) if status != 200 else bench.fine
    said = ""
    with HttpPeer([echo]) as peer:
        notifier = bench.make(peer.url)
        try:
            said = repr(notifier.notify(REPORT))
        except (Retry, UserError) as error:
            said = str(error)

    told = f"{said} {caplog.text} {notifier.config!r}"
    assert [secret for secret in bench.secrets if secret in told] == []
    assert bench.secrets


def test_a_secret_does_not_travel_in_clear_text_to_another_machine(bench):
    refused = pytest.raises(ValueError, match="would travel in clear text: write https://")

    with refused if bench.guards_address else nullcontext():
        bench.make("http://chat.example.org")


def test_a_probe_tells_nobody_and_shows_no_secret(bench):
    with HttpPeer([bench.fine] * 3) as peer:
        found = bench.make(peer.url).probe()

    asked = {(request.method, request.path.rpartition("/")[2]) for request in peer.requests}
    assert not {pair for pair in asked if pair[0] == "POST"} - {("POST", "auth.test")}
    assert [secret for secret in bench.secrets if secret in found] == []


def test_a_probe_of_nobody_says_so(bench):
    with HttpPeer() as peer:
        url = peer.url

    with pytest.raises(AiopsError):
        bench.make(url).probe()
