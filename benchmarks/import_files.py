"""The files that benchmarks import: customers, and a year of their order lines."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

_CITIES = ("Berlin", "London", "Paris", "Vienna", "Oslo")
_START = datetime(2025, 1, 1, tzinfo=UTC)


def write_customers(path: Path, how_many: int) -> None:
    chance = random.Random(1)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("external_id", "email", "first_name", "last_name", "city", "registered_at", "income")
        )
        for number in range(how_many):
            registered = _START + timedelta(minutes=chance.randrange(500_000))
            writer.writerow(
                (
                    f"c{number}", f"c{number}@example.com", f"First{number % 1000}", f"Last{number % 5000}",
                    _CITIES[number % 5], registered.isoformat(), chance.randrange(100) * 1000,
                )
            )  # fmt: skip


def write_order_lines(path: Path, customers: int, how_many: int) -> None:
    """Write three lines an order, of a thousand products."""
    chance = random.Random(2)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            (
                "order_id",
                "customer_id",
                "placed_at",
                "store",
                "sku",
                "quantity",
                "amount",
                "discount",
            )
        )
        for order in range(how_many // 3):
            customer = chance.randrange(customers)
            placed = (_START + timedelta(seconds=chance.randrange(31_000_000))).isoformat()
            for _line in range(3):
                writer.writerow(
                    (
                        f"o{order}", f"c{customer}", placed, chance.randrange(300), f"sku{chance.randrange(1000)}",
                        chance.randrange(1, 5), f"{chance.randrange(10_000) / 100}", "0.0",
                    )
                )  # fmt: skip
