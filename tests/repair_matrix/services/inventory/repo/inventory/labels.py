"""Labels on boxes."""


def decode(raw):
    """Return a label from the bytes a scanner sends."""
    return raw.decode("ascii").strip()


def shelf(label):
    """Return the shelf a label names, as in A-12."""
    return label.split("-")[1]


def row(label):
    """Return the row a label names."""
    return label.split("-")[0].upper()
