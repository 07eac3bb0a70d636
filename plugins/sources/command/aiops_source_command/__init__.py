"""Follow the output of a program: the ``command`` source."""

from aiops_source_command.source import CommandConfig, CommandSource

__all__ = ["CommandConfig", "CommandSource"]
