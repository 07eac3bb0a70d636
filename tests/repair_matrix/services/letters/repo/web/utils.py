"""Text work of the pages."""


def slug(title):
    """Return a title as it stands in an address."""
    parts = title.lower().split()
    return "-".join(parts)


def words(text):
    """Return how many words there are."""
    return len(text.split())
