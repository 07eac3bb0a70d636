"""Print reports on standard output, and keep them as HTML files."""

from aiops_notifier_console.notifier import ConsoleConfig, ConsoleNotifier

__all__ = ["ConsoleConfig", "ConsoleNotifier"]
