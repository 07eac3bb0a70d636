import unittest

from parcels.labels import label
from parcels.rates import price


class HeldOut(unittest.TestCase):
    def test_a_parcel_that_was_not_weighed_costs_nothing(self):
        self.assertEqual(price({"zone": "far"}), 0)
        self.assertEqual(label({"zone": "near", "grams": 2000}), "near 3.0 EUR")
