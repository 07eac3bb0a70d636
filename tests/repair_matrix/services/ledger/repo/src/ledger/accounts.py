"""Balances by account."""

from ledger.amounts import parse_amount


def balance(entries, account):
    """Return the balance of one account in cents."""
    sums = {}
    for name, amount in entries:
        sums[name] = sums.get(name, 0) + parse_amount(amount)
    return sums[account]


def latest(entries):
    """Return the account of the last entry."""
    name, _ = entries[-1]
    return name
