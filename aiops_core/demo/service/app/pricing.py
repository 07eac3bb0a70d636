"""What an order costs, in cents."""

from app.coupons import discount_percent


def subtotal(order: dict) -> int:
    """Return the price of all items."""
    return sum(item["price"] * item["quantity"] for item in order["items"])


def total(order: dict) -> int:
    """Return the price of the order with its discount."""
    gross = subtotal(order)
    return gross - gross * discount_percent(order) // 100
