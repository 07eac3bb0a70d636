import unittest

from shop.cart import total, with_tax


class HeldOut(unittest.TestCase):
    def test_without_a_count(self):
        self.assertEqual(total({"price": 7}), 7)
        self.assertEqual(with_tax({"price": 5}), 6)

    def test_a_count_of_zero(self):
        self.assertEqual(total({"price": 7, "count": 0}), 0)
