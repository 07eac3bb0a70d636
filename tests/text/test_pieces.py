"""Whole lines out of what a pipe delivers."""
