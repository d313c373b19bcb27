"""RFM: recency, frequency and monetary value in quintiles of all buyers, and the segments of these scores.

A score is a quintile, 5 the best, as in SQL's NTILE(5); customers with equal figures have the same score, the lower one where a quintile
ends between them. After Hughes 1994, "Strategic Database Marketing".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Self

from django.db import connection

FIGURES: Mapping[str, str] = {
    "recency": "EXTRACT(EPOCH FROM customer.last_order_at)",
    "frequency": "customer.order_count::numeric",
    "monetary": "customer.total_spend",
}
"""The figure behind each score; more is better."""

HAS_BOUGHT = (
    "customer.order_count > 0 AND customer.last_order_at IS NOT NULL AND customer.erased_at IS NULL"
)

SEGMENTS: tuple[tuple[str, str, str], ...] = (
    ("Champions", "5", "45"),
    ("Loyal customers", "34", "45"),
    ("Potential loyalists", "45", "23"),
    ("New customers", "5", "1"),
    ("Promising", "4", "1"),
    ("Need attention", "3", "3"),
    ("About to sleep", "3", "12"),
    ("Can't lose them", "12", "5"),
    ("At risk", "12", "34"),
    ("Hibernating", "12", "12"),
)
"""Name, scores of recency, scores of frequency; every pair of scores belongs to one segment."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """The lowest value of each figure for the scores 2, 3, 4 and 5."""

    recency: list[Decimal]
    frequency: list[Decimal]
    monetary: list[Decimal]

    @classmethod
    def read(cls, parameters: Mapping[str, list[str]]) -> Self:
        """Restore from as_json()."""
        return cls(**{name: [Decimal(each) for each in parameters[name]] for name in FIGURES})

    def as_json(self) -> dict[str, list[str]]:
        return {name: [str(each) for each in values] for name, values in asdict(self).items()}


def find_cuts() -> Cuts | None:
    """Return where the quintiles of today's buyers begin; None without buyers."""
    return None if (found := _cuts()) is None else Cuts(*found)


def score(figure: str) -> str:
    """Return SQL for the score of a customer by a figure, with the parameter `cuts_…`."""
    return f"1 + width_bucket({FIGURES[figure]}, %(cuts_{figure})s::numeric[])"


def parameters(cuts: Cuts | None) -> dict[str, Any]:
    """Return the parameters of score()."""
    return {f"cuts_{name}": getattr(cuts, name) if cuts else [Decimal(0)] * 4 for name in FIGURES}


def segment(recency: str, frequency: str) -> str:
    """Return SQL for the name of the segment, given SQL for the two scores."""
    cases = " ".join(
        f"WHEN {recency} IN ({', '.join(r)}) AND {frequency} IN ({', '.join(f)}) THEN {_quoted(name)}"
        for name, r, f in SEGMENTS
    )
    return f"CASE {cases} ELSE '' END"


def _cuts() -> list[list[Decimal]] | None:
    fifths = ", ".join(f"ntile(5) OVER (ORDER BY {name}) AS {name}_fifth" for name in FIGURES)
    shared = ", ".join(
        f"min({name}_fifth) OVER (PARTITION BY {name}) AS {name}_score" for name in FIGURES
    )
    # a score without customers begins where the next one does
    begins = ", ".join(
        f"coalesce(min({name}) FILTER (WHERE {name}_score >= {each}), max({name}) + 1)"
        for name in FIGURES
        for each in range(2, 6)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH figures AS (
                SELECT {", ".join(f"{sql} AS {name}" for name, sql in FIGURES.items())}
                FROM customers_customer customer WHERE {HAS_BOUGHT}
            ), ranked AS (SELECT *, {fifths} FROM figures),
            scored AS (SELECT *, {shared} FROM ranked)
            SELECT {begins} FROM scored
            """
        )
        row = cursor.fetchone()
    return None if row is None or row[0] is None else [list(row[at : at + 4]) for at in (0, 4, 8)]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
