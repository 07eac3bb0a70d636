"""Totals of a shopping cart."""

CURRENCY = "EUR"


def total(order):
    """Return the price of all pieces."""
    return order["price"] * order["count"]


def average(orders):
    """Return the mean price of some orders."""
    prices = [total(order) for order in orders]
    return sum(prices) / len(prices)


def discounted(order, voucher=None):
    """Return the price after a voucher, never below zero."""
    price = total(order)
    if order.get("fixed"):
        return price
    rest = price - voucher["amount"]
    return max(rest, 0)


def receipt(order):
    """Return the line people see."""
    price = total(order)
    return f"{order['name']}: {price} {CURRENCY}"
