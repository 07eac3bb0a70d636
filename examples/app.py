"""A program that fails on demand: python3 app.py KIND [KIND ...] writes errors into app.log."""

from __future__ import annotations

import argparse
import asyncio
import logging
import threading
from collections.abc import Callable

PRICES = {"mug": 7, "pen": 2}
log = logging.getLogger("shop")


def total(items: list[str]) -> int:
    """Add up prices; an item without a price is the mistake."""
    return sum(PRICES[item] for item in items)


def missing_key() -> None:
    """A KeyError three calls deep."""
    total(["mug", "lamp"])


def chained() -> None:
    """An error with a cause of its own."""
    try:
        int("seven")
    except ValueError as error:
        raise RuntimeError("order 4711 cannot be priced") from error


def several() -> None:
    """Several errors at once, as TaskGroup raises them."""

    async def fail(order: int) -> None:
        raise ValueError(f"order {order} has no address")

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(1))
            group.create_task(fail(2))

    asyncio.run(both())


def endless() -> None:
    """A recursion without an end."""
    endless()


def disk() -> None:
    """What no code repairs."""
    raise OSError(28, "No space left on device", "/var/lib/shop/orders.db")


def foreign() -> None:
    """A message that is not English."""
    raise LookupError("订单 4711 不存在 (Größe: 3 €)")


def thread() -> None:
    """An error that nobody catches, in a thread."""
    worker = threading.Thread(target=missing_key, name="pricing")
    threading.excepthook = lambda args: log.error("thread died", exc_info=args.exc_value)
    worker.start()
    worker.join()


def line() -> None:
    """No exception: one line of the level ERROR."""
    log.error("payment provider answered 503 for order 4711")


def warning() -> None:
    """One line that is no error."""
    log.warning("stock of mugs is low: 3 left")


def critical() -> None:
    """One line of the level CRITICAL."""
    log.critical("no database: orders are refused")


FAILURES = (missing_key, chained, several, endless, disk, foreign, thread, line, warning, critical)
KINDS: dict[str, Callable[[], None]] = {failure.__name__.replace("_", "-"): failure for failure in FAILURES}


def main() -> None:
    """Write what was asked for into the log, between lines that say all is well."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:<12} {function.__doc__}" for name, function in KINDS.items()),
    )
    parser.add_argument("kinds", nargs="+", metavar="KIND", choices=[*KINDS, "all"], help="below, or all")
    parser.add_argument("--log", default="app.log", help="file to append to (app.log)")
    parser.add_argument("--times", type=int, default=1, help="how often (1)")
    options = parser.parse_args()
    logging.basicConfig(
        filename=options.log,
        level=logging.INFO,
        encoding="utf-8",
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    log.info("started")
    for kind in (list(KINDS) if "all" in options.kinds else options.kinds) * options.times:
        try:
            KINDS[kind]()
        except Exception:
            log.exception("request failed")
        log.info("order 4712 paid")


if __name__ == "__main__":
    main()
