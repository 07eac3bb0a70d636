# -*- coding: latin-1 -*-
"""Prices of the café."""

CAFE = "Café Größe"


def shown(dish):
    """Return a dish as the menu shows it."""
    return dish["name"] + ": " + "%.2f" % dish["price"]


def cheapest(dishes):
    """Return the name of the cheapest dish."""
    return min(dishes, key=lambda dish: dish["price"])["name"]
