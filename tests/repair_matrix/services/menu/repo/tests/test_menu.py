import unittest

from menu.prices import CAFE, cheapest, shown


class Menu(unittest.TestCase):
    def test_shown(self):
        self.assertEqual(shown({"name": "soup", "price": 4.5}), "soup: 4.50")

    def test_cheapest(self):
        self.assertEqual(cheapest([{"name": "soup", "price": 4}, {"name": "tea", "price": 2}]), "tea")

    def test_name(self):
        self.assertEqual(len(CAFE), 10)
