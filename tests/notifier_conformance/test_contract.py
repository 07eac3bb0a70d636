"""The contract of every notifier that posts, each on its bench."""

from contextlib import contextmanager

import pytest

from aiops_core.testing import Bench
from aiops_core.testing.contracts import CHECKS, Trial
from aiops_core.testing.http_peer import HttpPeer, Reply


@contextmanager
def peer_of(bench, directory):
    with HttpPeer(usual=bench.fine) as peer:
        settings = {bench.address: peer.url + bench.path, **bench.settings}
        yield Bench(settings, directory=directory, spoil=lambda: peer.script(Reply(401, b"no")))


@pytest.mark.parametrize("check", CHECKS["notifiers"], ids=lambda check: check.__name__)
def test_contract(bench, check, tmp_path):
    with peer_of(bench, tmp_path) as place:
        check(Trial(bench.notifier, place, tmp_path / "trial"))
