"""What coupons take off."""

DISCOUNTS = {"WELCOME": 10, "SUMMER": 15}


def discount_percent(order: dict) -> int:
    """Return the per cent that the order's coupon takes off."""
    code = order["coupon"].strip().upper()
    return DISCOUNTS.get(code, 0)
