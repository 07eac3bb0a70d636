import unittest

from shop.cart import average, discounted, receipt, total


class Totals(unittest.TestCase):
    def test_price_times_count(self):
        self.assertEqual(total({"price": 2, "count": 3}), 6)

    def test_a_count_of_zero_costs_nothing(self):
        self.assertEqual(total({"price": 2, "count": 0}), 0)

    def test_average_of_two(self):
        self.assertEqual(average([{"price": 2, "count": 1}, {"price": 4, "count": 1}]), 3)

    def test_a_voucher_is_taken_off(self):
        self.assertEqual(discounted({"price": 9, "count": 1}, {"amount": 4}), 5)

    def test_a_large_voucher_gives_nothing_back(self):
        self.assertEqual(discounted({"price": 9, "count": 1}, {"amount": 40}), 0)

    def test_receipt(self):
        self.assertEqual(receipt({"name": "tea", "price": 2, "count": 1}), "tea: 2 EUR")
