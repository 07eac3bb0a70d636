from aiops_notifier_console import ConsoleNotifier

from aiops_core.testing import contract

test_contract = contract(ConsoleNotifier)
