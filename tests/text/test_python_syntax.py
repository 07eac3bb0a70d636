"""Python source is parsed in whatever thread."""

import argparse
import gc
import inspect
import sys
import threading

from aiops_core.text.python_syntax import parse_python


class Busy:
    """Garbage of which the collector runs Python code: other threads run meanwhile."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        for _ in range(20):
            pass


def test_what_is_no_python_has_no_tree():
    assert parse_python("def f(:") is None
    assert parse_python("\0") is None
    assert parse_python("\ufeffx = 1") is not None


def test_threads_parse_at_the_same_time():
    text, trees = inspect.getsource(argparse).partition("\nclass ArgumentParser")[0], []

    def parse():
        for _ in range(10):
            [Busy() for _ in range(60)]
            trees.append(parse_python(text))

    threads = [threading.Thread(target=parse) for _ in range(4)]
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)

    assert len(trees) == 40
    assert None not in trees
