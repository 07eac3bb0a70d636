from aiops_notifier_file import FileNotifier

from aiops_core.testing import contract

test_contract = contract(FileNotifier, {"path": "reports/out.jsonl"})
