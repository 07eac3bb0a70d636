"""Text work of the API."""


def first_line(text):
    """Return the first line of a letter."""
    return text.strip().splitlines()[0]


def words(text):
    """Return the words of a letter."""
    return text.split()
