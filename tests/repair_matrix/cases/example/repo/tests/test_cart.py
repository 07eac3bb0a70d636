import unittest

from shop.cart import total, with_tax


class Totals(unittest.TestCase):
    def test_price_times_count(self):
        self.assertEqual(total({"price": 2, "count": 3}), 6)

    def test_tax_is_added(self):
        self.assertEqual(with_tax({"price": 10, "count": 1}), 12)
