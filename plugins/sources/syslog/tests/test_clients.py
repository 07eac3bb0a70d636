"""Clients that people use."""

import shutil
import subprocess

import pytest

FIRST = b"<13>1 2026-05-04T12:00:00Z web shop 7 - - one"
TRACE = b'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: bad'


@pytest.mark.skipif(shutil.which("logger") is None, reason="logger (util-linux) is not here")
@pytest.mark.parametrize("options", [["--udp"], ["--tcp"], ["--tcp", "--octet-count"]])
@pytest.mark.parametrize("form", ["--rfc5424", "--rfc3164"])
def test_case_52_what_logger_sends_line_by_line_arrives_in_order(listener, options, form):
    transport = options[0].removeprefix("--")
    source = listener(f"{transport}://127.0.0.1:0")
    command = ["logger", "--server", "127.0.0.1", "--port", str(source.port()), *options, form]

    subprocess.run(
        [*command, "--tag", "shop", "--id=77", "-p", "user.err"], input=TRACE, check=True, timeout=10
    )

    source.wait(lambda: len(source.lines) == 3)
    assert all(line.startswith(b"<11>") and b"shop" in line and b"77" in line for line in source.lines)
    assert [line.partition(b"shop")[2].partition(b"  File")[1] for line in source.lines] == [
        b"",
        b"  File",
        b"",
    ]
    assert source.lines[2].endswith(b"ValueError: bad")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_openssl_as_a_client_is_understood(listener, authority, tmp_path):
    source = listener("tls://127.0.0.1:0", certificate="cert.pem", key="key.pem")
    command = ["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", str(tmp_path / "ca.pem")]

    with subprocess.Popen(
        [*command, "-connect", f"127.0.0.1:{source.port()}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as client:
        client.stdin.write(FIRST + b"\n")
        client.stdin.flush()
        source.wait_for(FIRST + b"\n")
        client.kill()
