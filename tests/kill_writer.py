"""Write torn tracebacks into a rotating log until told enough; the ledger says what was written.

kill_writer.py LOG LEDGER SECONDS
"""

import os
import random
import sys
import time
from pathlib import Path

BLOCK = (
    "2026-11-21 03:00:00,000 ERROR app: request {n} failed\n"
    "Traceback (most recent call last):\n"
    '  File "/srv/app/shop.py", line 3, in serve_{letters}\n'
    "    raise Trouble({n})\n"
    "shop.Trouble{letters}: request\n"
)


def letters(number: int) -> str:
    """Spell a number without digits, so that every error is an incident of its own."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def main() -> None:
    """Write."""
    log, ledger, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    randomly, number, deadline = random.Random(7), 0, time.monotonic() + seconds
    names = ledger.open("a")
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    while time.monotonic() < deadline:
        number += 1
        text = "".join(
            f"2026-11-21 03:00:00,000 INFO app: tick {number}\n" for _ in range(randomly.randrange(40))
        )
        data = (text + BLOCK.format(n=number, letters=letters(number))).encode()
        cut = randomly.randrange(len(data))
        os.write(out, data[:cut])
        if randomly.random() < 0.2:
            time.sleep(randomly.random() * 0.02)
        os.write(out, data[cut:])
        names.write(f"shop.Trouble{letters(number)}\n")
        if number % 60 == 0:
            os.close(out)
            log.rename(log.with_name(f"{log.name}.{number}"))
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        time.sleep(0.004)
    os.write(out, b"2026-11-21 03:00:00,000 INFO app: the end\n")


if __name__ == "__main__":
    main()
