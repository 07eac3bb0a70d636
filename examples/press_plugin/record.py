"""Write what a press would record: python3 record.py press.rec. The real one is written by the press."""

import sys
from pathlib import Path

from acme_press.records import MARK, Record

BEGIN = 1_795_248_000_000
RECORDS = [
    Record(BEGIN, 0, 1, "job 4711 started"),
    Record(BEGIN + 7_000, 2, 204, "paper jam\ntray: 2\nsheet: 118"),
    Record(BEGIN + 90_000, 0, 1, "job 4711 resumed"),
    Record(BEGIN + 131_000, 2, 204, "paper jam\ntray: 1\nsheet: 7"),
    Record(BEGIN + 140_000, 1, 31, "ink low"),
    Record(BEGIN + 200_000, 2, 901, "emergency stop"),
]

if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(MARK + b"".join(record.packed() for record in RECORDS))
