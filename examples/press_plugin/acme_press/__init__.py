"""Reads the event recorder of our presses, and finds the faults in it."""

from acme_press.faults import PressFaults
from acme_press.recorder import PressRecorder

__all__ = ["PressFaults", "PressRecorder"]
