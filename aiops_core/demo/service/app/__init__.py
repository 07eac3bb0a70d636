"""The checkout service: prices orders and logs what it does."""
