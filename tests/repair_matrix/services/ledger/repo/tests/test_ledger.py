import unittest

from ledger.accounts import balance, latest
from ledger.amounts import parse_amount, show_amount


class Ledger(unittest.TestCase):
    def test_an_amount_is_cents(self):
        self.assertEqual(parse_amount(" 12.50 "), 1250)

    def test_nonsense_is_no_amount(self):
        with self.assertRaises(ValueError):
            parse_amount("many")

    def test_shown(self):
        self.assertEqual(show_amount(1250), "12.50")

    def test_balance_adds_up(self):
        self.assertEqual(balance([("a", "1"), ("b", "2"), ("a", "3")], "a"), 400)

    def test_latest(self):
        self.assertEqual(latest([("a", "1"), ("b", "2")]), "b")
