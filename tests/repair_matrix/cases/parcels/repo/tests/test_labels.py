import unittest

from parcels.labels import label, send, weight


class Labels(unittest.TestCase):
    def test_a_label_says_what_it_costs(self):
        self.assertEqual(label({"zone": "near", "grams": 1000}), "near 1.5 EUR")
        self.assertEqual(weight({"grams": 1500}), "1.5 kg")

    def test_a_label_is_printed(self):
        self.assertEqual(send("near"), "near\n")
