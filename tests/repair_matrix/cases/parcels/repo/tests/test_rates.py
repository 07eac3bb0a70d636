import unittest

from parcels.rates import price


class Prices(unittest.TestCase):
    def test_a_price_goes_by_zone_and_weight(self):
        self.assertEqual(price({"zone": "near", "grams": 2000}), 3.0)
        self.assertEqual(price({"zone": "far", "grams": 500}), 1.5)
