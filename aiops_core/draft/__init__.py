"""A first pipeline file: written from what is found in a directory, or from the usual variables."""

from aiops_core.draft.draft import Draft, Part
from aiops_core.draft.environment import from_environment
from aiops_core.draft.found import from_directory
from aiops_core.draft.page import write_page

__all__ = ["Draft", "Part", "from_directory", "from_environment", "write_page"]
