"""Real targets on loopback: one that never answers, one that drips, one 5xx, one 429, and a healthy one."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from aiops_core.store import Store
from aiops_core.testing.http_peer import HttpPeer, Reply
from aiops_core.testing.pipeline import run_pipeline

AIOPS = Path(sys.executable).parent / "aiops"
HEAD = """\
state: ./state
pipelines:
  shop:
    sources: [{uses: file, with: {paths: [./shop.log], start: beginning}}]
    detectors: [python]
    policy: {max_age: 3650d}
    notices: {storm: {messages: 10000}, resolve_after: 0s}
    notifiers:
"""
HOOK = "      - {{uses: webhook, name: {name}, with: {{url: '{url}/hook', timeout: {timeout}s}}}}\n"


def crash(name: str) -> str:
    frame = f'Traceback (most recent call last):\n  File "/srv/{name}.py", line 2, in {name}\n    do()\n'
    return f"2026-11-21 03:00:00,000 ERROR shop: failed\n{frame}{name.title()}Error: no price\n"


@contextmanager
def dripping():
    """A server that takes every connection and sends a byte of its answer now and then."""
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip(connection):
        with connection:
            connection.recv(1 << 16)
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"x" * 9999:
                if over.wait(0.5):
                    return
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    return

    def accept():
        while not over.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    over.set()
    server.close()


@contextmanager
def black_hole():
    """A server whose queue of connections is full: nothing is ever answered."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    full = [socket.socket() for _ in range(4)]
    for one in full:
        one.setblocking(False)
        one.connect_ex(server.getsockname())
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    for one in (*full, server):
        one.close()


def start(directory, *options):
    with (directory / "run.log").open("ab") as log:
        return subprocess.Popen(
            [AIOPS, "run", *options, "pipeline.yaml"], cwd=directory, stdout=log, stderr=log, env=os.environ
        )


@pytest.mark.parametrize(("count", "limit"), [(6, 5.0), pytest.param(100, 2.0, marks=pytest.mark.full)])
def test_four_targets_in_trouble_keep_a_healthy_one_waiting_for_nothing(tmp_path, count, limit):
    with (
        black_hole() as hole,
        dripping() as slow,
        HttpPeer(usual=Reply(503)) as broken,
        HttpPeer(usual=Reply(429, b"", {"Retry-After": "3600"})) as busy,
        HttpPeer() as healthy,
    ):
        urls = {"hole": hole, "slow": slow, "broken": broken.url, "busy": busy.url, "healthy": healthy.url}
        text = HEAD + "".join(HOOK.format(name=name, url=url, timeout=10) for name, url in urls.items())
        (tmp_path / "pipeline.yaml").write_text(text)
        (tmp_path / "shop.log").write_text("")
        run, took = start(tmp_path), []
        try:
            for number in range(count):
                with (tmp_path / "shop.log").open("a") as log:
                    log.write(crash(f"f{chr(97 + number // 26)}{chr(97 + number % 26)}"))
                    log.write("2026-11-21 03:00:01,000 INFO shop: goes on\n")
                deadline = time.monotonic() + 60
                while len(healthy.requests) <= number and time.monotonic() < deadline:
                    time.sleep(0.01)
                with Store.open(tmp_path / "state") as store:
                    (row,) = [
                        one for one in store.deliveries.list(limit=5 * count) if one.target == "healthy"
                    ][:1]
                took.append((row.updated_at - row.created_at).total_seconds())
        finally:
            run.terminate()
            run.wait(60)

    print(f"n={count} p50={sorted(took)[count // 2]:.3f} s max={max(took):.3f} s")
    assert len(healthy.requests) == count
    assert sorted(took)[int(count * 0.99) - 1] < limit


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.full)])
def test_killed_again_and_again_every_target_is_told_at_least_once_and_always_under_one_key(tmp_path, kills):
    import random

    randomly, names = random.Random(7), []
    with HttpPeer() as one, HttpPeer() as other:
        text = HEAD + "".join(
            HOOK.format(name=name, url=peer.url, timeout=10)
            for name, peer in (("one", one), ("other", other))
        )
        (tmp_path / "pipeline.yaml").write_text(text)
        (tmp_path / "shop.log").write_text("")
        for number in range(kills):
            names.append(f"f{chr(97 + number // 26)}{chr(97 + number % 26)}")
            with (tmp_path / "shop.log").open("a") as log:
                log.write(crash(names[-1]) + "2026-11-21 03:00:01,000 INFO shop: goes on\n")
            run = start(tmp_path, "--once")
            before = len(one.requests) + len(other.requests)
            deadline = time.monotonic() + 60
            while (
                len(one.requests) + len(other.requests) == before
                and run.poll() is None
                and time.monotonic() < deadline
            ):
                time.sleep(0.002)
            time.sleep(randomly.uniform(0, 0.2))  # what is killed again and again is given up, by design
            run.send_signal(signal.SIGKILL)
            run.wait()
        for _ in range(2):
            assert start(tmp_path, "--once").wait(60) == 0
        keys = [
            Counter(request.headers["idempotency-key"] for request in peer.requests) for peer in (one, other)
        ]
        with Store.open(tmp_path / "state") as store:
            rows = store.deliveries.list(limit=10_000)

    assert {row.state for row in rows} == {"sent"}
    assert len([row for row in rows if row.report.kind != "fault"]) == 2 * kills
    for found in keys:
        assert sum(found.values()) - len(found) <= kills
    print(
        f"kills={kills} sent={[sum(found.values()) for found in keys]} keys={[len(found) for found in keys]}"
    )


@pytest.mark.parametrize(
    ("storm", "analyses"), [("", 10), pytest.param("incidents: 40", 40, marks=pytest.mark.full)]
)
def test_a_storm_of_forty_causes_is_ten_analyses_ten_messages_and_one_digest(tmp_path, storm, analyses):
    names = [f"f{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(40)]
    log = "".join(crash(names[number % 40]) for number in range(10_000))
    asked = """\
from pathlib import Path
from aiops_core import Analysis, Analyzer

class Counting(Analyzer):
    def analyze(self, incident, evidence):
        with Path(self.context.directory, "asked").open("a") as file:
            file.write(incident.type + "\\n")
        return Analysis(title=incident.type, summary="s", root_cause="r", confidence=0.9, analyzer="counting")
"""
    with HttpPeer() as one, HttpPeer() as other:
        text = HEAD.replace("{storm: {messages: 10000}, resolve_after: 0s}", f"{{storm: {{{storm}}}}}")
        text = text.replace("    notifiers:\n", "    analyzers: ['./asked.py:Counting']\n    notifiers:\n")
        text += "".join(
            HOOK.format(name=name, url=peer.url, timeout=10)
            for name, peer in (("one", one), ("other", other))
        )
        done = run_pipeline(text, {"shop.log": log, "asked.py": asked}, tmp_path, timeout=120)
        bodies = [[request.body for request in peer.requests] for peer in (one, other)]

    assert [incident.count for incident in done.incidents] == [250] * 40
    assert len((tmp_path / "asked").read_text().splitlines()) == analyses
    for told in bodies:
        assert len(told) == 11
        assert sum(b'"kind": "digest"' in body for body in told) == 1
