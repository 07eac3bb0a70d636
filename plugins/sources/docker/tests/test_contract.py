import json
from contextlib import contextmanager

from aiops_source_docker import DockerSource

from aiops_core.testing import Bench, contract


@contextmanager
def container(directory):
    lines = [{"log": f"line {n}\n", "stream": "stderr", "time": "2026-05-04T11:00:00Z"} for n in range(9)]
    (directory / "c-json.log").write_text("".join(json.dumps(line) + "\n" for line in lines))
    yield Bench({"paths": ["./*-json.log"], "start": "beginning"}, directory=directory)


test_contract = contract(DockerSource, container)
