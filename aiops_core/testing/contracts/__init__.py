"""The contract of every component, as a test that its author gets with one line.

    test_contract = contract(BillingErrors, good=["!!E42 card declined\\n"], bad=["invoice 7 sent\\n"])

Each check is one case of that test, named after what it asks for.
"""

from aiops_core.testing.contracts.bench import Bench, Trial
from aiops_core.testing.contracts.checks import CHECKS, contract

__all__ = ["CHECKS", "Bench", "Trial", "contract"]
