"""The way out: one run over an incident — evidence, analysis, repair, actions, messages.

Everything is read from and written to the store, step by step: a run that is taken over after a
crash goes on at the first step that is not recorded as finished. A step that fails is recorded
and the run goes on, so that people are told in any case.
"""

from aiops_core.respond.responder import Responder
from aiops_core.respond.telling import Telling

__all__ = ["Responder", "Telling"]
