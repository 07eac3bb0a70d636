"""Totals of a shopping cart."""


def total(order):
    return order["price"] * order["count"]


def with_tax(order, rate=0.2):
    return round(total(order) * (1 + rate), 2)
