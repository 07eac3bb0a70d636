"""A small shop with a bug, and the fix of it."""

import sys

import pytest

from aiops_core.errors import Refused
from aiops_core.records import Edit

APP = """\
def total(items):
    return sum(item['price'] for item in items)


def count(items):
    return len(items)
"""

TESTS = """\
import unittest
from shop.app import count, total


class Cart(unittest.TestCase):
    def test_total(self):
        self.assertEqual(3, total([{'price': 1}, {'price': 2}]))

    def test_free_item(self):
        self.assertEqual(1, total([{'price': 1}, {}]))

    def test_count(self):
        self.assertEqual(2, count([{}, {}]))

    def test_never_worked(self):
        self.assertEqual(1, 2)
"""

FIX = Edit("replace", "shop/app.py", search="item['price']", replace="item.get('price', 0)")

RUN = f"{sys.executable} -m unittest"


def refusal(attempt, *edits, **settings):
    with pytest.raises(Refused) as caught:
        attempt(*edits, **settings)
    return caught.value


def edit(search, replace):
    return Edit("replace", "shop/app.py", search=search, replace=replace)
