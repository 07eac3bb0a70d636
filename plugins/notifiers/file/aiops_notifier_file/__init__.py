"""Append reports to a file, one JSON object a line."""

from aiops_notifier_file.notifier import FileConfig, FileNotifier

__all__ = ["FileConfig", "FileNotifier"]
