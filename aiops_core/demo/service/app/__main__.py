"""Price every order of a file, as a worker of the shop does."""

import argparse
import json
import logging
import time

from app.pricing import total

log = logging.getLogger("checkout")


def handle(order: dict) -> None:
    """Price one order; a failure costs this order only."""
    try:
        log.info("order %s costs %d cents", order["id"], total(order))
    except Exception:
        log.exception("order %s failed", order["id"])


def main() -> None:
    """Work through the orders."""
    parser = argparse.ArgumentParser(prog="app")
    parser.add_argument("--orders", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--pause", type=float, default=0.0)
    options = parser.parse_args()
    logging.basicConfig(
        filename=options.log, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    log.info("checkout starts")
    with open(options.orders, encoding="utf-8") as orders:
        for line in orders:
            order = json.loads(line)
            if not order["items"]:
                log.warning("order %s is empty, skipped", order["id"])
                continue
            handle(order)
            time.sleep(options.pause)
    log.info("checkout stops")


if __name__ == "__main__":
    main()
