from contextlib import contextmanager

from aiops_action_local_branch import LocalBranch

from aiops_core import Repository
from aiops_core.testing import Bench, contract
from aiops_core.testing.forge_scene import BareRepository, make_change


@contextmanager
def remote(directory):
    bare = BareRepository.make(directory / "shop.git")
    yield Bench(
        repository=Repository(url=str(bare.path)),
        change=make_change(bare.commit("main")),
        reached=lambda: bare.git("for-each-ref"),
    )


test_contract = contract(LocalBranch, remote)
