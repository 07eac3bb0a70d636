import unittest

from inventory.labels import decode, row, shelf


class Labels(unittest.TestCase):
    def test_decode(self):
        self.assertEqual(decode(b"A-12 "), "A-12")

    def test_shelf(self):
        self.assertEqual(shelf("A-12"), "12")

    def test_row(self):
        self.assertEqual(row("a-12"), "A")

    def test_rows_of_two_letters_are_split(self):
        self.assertEqual(row("ab-12"), "A/B")
