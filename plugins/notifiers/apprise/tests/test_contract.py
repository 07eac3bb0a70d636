from contextlib import contextmanager

from aiops_notifier_apprise import AppriseNotifier

from aiops_core.testing import Bench, contract
from aiops_core.testing.http_peer import HttpPeer, Reply


@contextmanager
def service(directory):
    with HttpPeer() as peer:
        address = f"json://{peer.url.removeprefix('http://')}/geheim-4711"
        yield Bench({"urls": [address]}, directory=directory, spoil=lambda: peer.script(Reply(500)))


test_contract = contract(AppriseNotifier, service)
