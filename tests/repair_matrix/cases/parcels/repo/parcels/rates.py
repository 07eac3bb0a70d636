"""What parcels cost."""

from parcels.tables import PRICES


def kilos(grams):
    """Return a weight in kilograms."""
    return grams / 1000


def price(parcel):
    """Return what a parcel costs."""
    return round(PRICES[parcel["zone"]] * kilos(parcel.get("grams")), 2)
