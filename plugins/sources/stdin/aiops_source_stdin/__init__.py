"""Read standard input: the ``stdin`` source."""

from aiops_source_stdin.source import StdinSource

__all__ = ["StdinSource"]
