from contextlib import contextmanager

from aiops_source_file import FileSource

from aiops_core.testing import Bench, contract


@contextmanager
def logs(directory):
    (directory / "a.log").write_text("one\ntwo\n")
    (directory / "b.log").write_text("three\n" * 1000)
    yield Bench({"paths": ["./*.log"], "start": "beginning"}, directory=directory)


test_contract = contract(FileSource, logs)
