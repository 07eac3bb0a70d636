"""Amounts as people write them."""


def parse_amount(text):
    """Return an amount in cents."""
    text = text.strip()
    return round(float(text) * 100)


def show_amount(cents):
    """Return an amount as people read it."""
    return f"{cents / 100:.2f}"
