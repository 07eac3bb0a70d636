import os
import sys
from contextlib import contextmanager

from aiops_source_stdin import StdinSource

from aiops_core.testing import Bench, contract


@contextmanager
def pipe(directory):
    (directory / "in").write_text("one\ntwo\n")
    before = sys.stdin
    with (directory / "in").open() as sys.stdin:
        yield Bench(directory=directory, feed=lambda source: os.lseek(sys.stdin.fileno(), 0, os.SEEK_SET))
    sys.stdin = before


test_contract = contract(StdinSource, pipe)
