from aiops_source_command import CommandSource

from aiops_core.testing import contract

test_contract = contract(CommandSource, {"command": ["printf", "one\\ntwo\\n"]})
