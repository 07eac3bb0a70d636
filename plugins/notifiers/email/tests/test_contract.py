from contextlib import contextmanager

from aiops_notifier_email import EmailNotifier

from aiops_core.testing import Bench, contract
from aiops_core.testing.smtp import SmtpServer


@contextmanager
def mailbox(directory):
    with SmtpServer("starttls", users={"aiops": "geheim-4711"}) as server:
        yield Bench(
            {
                "host": server.host,
                "port": server.port,
                "ca_file": server.ca_file,
                "username": "aiops",
                "password": "geheim-4711",
                "sender": "aiops@example.org",
                "to": ["ann@example.org"],
            },
            directory=directory,
            spoil=lambda: server.answer("AUTH", ["535 5.7.8 no"]),
        )


test_contract = contract(EmailNotifier, mailbox)
