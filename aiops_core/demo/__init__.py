"""The demo: an example service with a real bug, and the whole way from its crash to a fix branch."""
