"""An example of a user's own workspace."""

START = 0
