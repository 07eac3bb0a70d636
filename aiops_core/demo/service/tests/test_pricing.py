import unittest

from app.coupons import discount_percent
from app.pricing import subtotal, total


def order(coupon, *items):
    return {"id": 1, "coupon": coupon, "items": [{"price": price, "quantity": quantity} for price, quantity in items]}


class Pricing(unittest.TestCase):
    def test_items_add_up(self):
        self.assertEqual(subtotal(order("", (250, 2), (100, 1))), 600)

    def test_a_coupon_takes_its_share_off(self):
        self.assertEqual(total(order("WELCOME", (1000, 1))), 900)

    def test_a_coupon_may_be_written_carelessly(self):
        self.assertEqual(discount_percent(order(" summer ")), 15)

    def test_an_unknown_coupon_takes_nothing_off(self):
        self.assertEqual(total(order("NOSUCH", (1000, 1))), 1000)


if __name__ == "__main__":
    unittest.main()
