"""Prices by zone."""

PRICES = {"near": 1.5, "far": 3.0}
