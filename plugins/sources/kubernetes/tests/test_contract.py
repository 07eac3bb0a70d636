from contextlib import contextmanager

from aiops_source_kubernetes import KubernetesSource

from aiops_core.testing import Bench, contract


@contextmanager
def pod(directory):
    name = f"checkout-7d9f_shop_app-{'ab' * 32}.log"
    (directory / name).write_text("2026-05-04T11:00:00.1Z stderr F line\n" * 9)
    yield Bench({"paths": ["./*.log"], "start": "beginning"}, directory=directory)


test_contract = contract(KubernetesSource, pod)
