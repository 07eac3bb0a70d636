"""Build real journals with systemd-journal-remote."""

import struct
import subprocess

START = 1_700_000_000_000_000
BOOTS = ("a" * 32, "b" * 32)
REMOTE = "/lib/systemd/systemd-journal-remote"


def field(name, value):
    value = value if isinstance(value, bytes) else str(value).encode()
    if value.isascii() and value.decode("ascii").isprintable():
        return b"%s=%s\n" % (name.encode(), value)
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(value)), value)


def export(entries):
    """Write entries, lists of name and value, in the export format."""
    return b"".join(b"".join(field(*pair) for pair in entry) + b"\n" for entry in entries)


class Journal:
    """One journal file that grows."""

    def __init__(self, directory, name="x.journal"):
        self.directory = directory
        self.file = directory / name
        self.count = 0
        directory.mkdir(exist_ok=True)

    def add(self, *messages, boot=0, at=None, more=(), **fields):
        """Append an entry for each message (None: without one), a second apart."""
        entries = []
        for message in messages:
            self.count += 1
            time = at if at is not None else START + self.count * 1_000_000
            entry = [
                ("__REALTIME_TIMESTAMP", time),
                ("__MONOTONIC_TIMESTAMP", self.count * 1_000_000),
                ("_BOOT_ID", BOOTS[boot]),
                *({"_HOSTNAME": "web1", "SYSLOG_IDENTIFIER": "shop", "_PID": 11} | fields).items(),
                *more,
            ]
            entries.append(entry if message is None else [*entry, ("MESSAGE", message)])
        self.write(export(entries))
        return self

    def write(self, text):
        done = subprocess.run([REMOTE, "-o", self.file, "-"], input=text, capture_output=True)
        assert done.returncode == 0, done.stderr

    def remove(self):
        self.file.unlink()
