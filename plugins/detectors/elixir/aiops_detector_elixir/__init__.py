"""Find exceptions and crash reports of Elixir and Erlang in logs."""

from __future__ import annotations

from aiops_detector_elixir._detector import ElixirConfig, ElixirErrors

__all__ = ["ElixirConfig", "ElixirErrors"]
