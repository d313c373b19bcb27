"""Write exchange rates: one a row, or as the European Central Bank writes them, a day a row and a currency a column.

https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/ (eurofxref.csv, eurofxref-hist.csv) and the
series of data.ecb.europa.eu. A rate says how many units of the currency are worth one of the base.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from customers.ingest.fields import EXCHANGE_RATE, Refused, clean_fields
from customers.ingest.upsert import Outcome, Result
from customers.order_money import convert_orders

EURO = "EUR"
LARGEST = Decimal(10) ** 9
SMALLEST = Decimal("1e-9")


class Rate(NamedTuple):
    day: date
    base: str
    currency: str
    rate: Decimal


def clean_rate(given: Mapping[str, object]) -> dict[str, Any]:
    """Clean a rate as a source writes it. Raises Refused."""
    return complete_rates(clean_fields(given, EXCHANGE_RATE))


def complete_rates(row: dict[str, Any]) -> dict[str, Any]:
    """Gather the rates of a row. Raises Refused for a row without any, or with an impossible one."""
    if not row.get("day"):
        raise Refused(_("is missing."), "day")
    day, base = row["day"], row.get("base") or EURO
    if "currency" in row:
        if "base" not in row:
            raise Refused(_("is missing."), "base")
        found = [Rate(day, base, row["currency"], _rate(row.get("rate"), "rate"))]
    else:
        found = list(_of_columns(day, base, row.get("attributes", {})))
    if not found:
        raise Refused(_("The row has no rate."))
    return {"rates": found}


def write_rates(rows: Sequence[dict[str, Any]]) -> list[Result]:
    """Write the rates of rows, of two for one day the later, and convert the orders that they concern."""
    rates = [rate for row in rows for rate in row["rates"]]
    if not rates:
        return []
    changed = _save(rates)
    if changed:
        convert_orders(min(changed), max(changed))
    return [
        Result(
            Outcome.CREATED
            if any(rate.day in changed for rate in row["rates"])
            else Outcome.UNCHANGED,
            pk=0,
        )
        for row in rows
    ]


def _save(rates: Sequence[Rate]) -> set[date]:
    """Save rates; returns the days of those that are new or changed."""
    # a base is worth one of itself, so that every conversion is the quotient of two rates of a day
    bases = (Rate(each.day, each.base, each.base, Decimal(1)) for each in rates)
    by_key = {(each.currency, each.day, each.base): each for each in (*rates, *bases)}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_exchangerate (day, base, currency, rate)
            SELECT * FROM unnest(%s::date[], %s::text[], %s::text[], %s::numeric[]) AS given(day, base, currency, rate)
            ORDER BY currency, day, base
            ON CONFLICT (currency, day, base) DO UPDATE SET rate = excluded.rate, updated_at = now()
            WHERE customers_exchangerate.rate <> excluded.rate
            RETURNING day
            """,
            list(map(list, zip(*by_key.values(), strict=True))),
        )
        return {row[0] for row in cursor.fetchall()}


def _of_columns(day: date, base: str, columns: Mapping[str, Any]) -> Iterator[Rate]:
    for name, value in columns.items():
        is_currency = len(name) == 3 and name.isalpha() and name.isascii()
        if is_currency and value not in (None, "", "N/A", "n/a", "-"):
            yield Rate(day, base, name.upper(), _rate(value, name))


def _rate(value: object, field: str) -> Decimal:
    try:
        rate = Decimal(str(value))
    except InvalidOperation:
        raise Refused(_("“%s” is not a rate.") % str(value)[:60], field) from None
    if not rate.is_finite() or not SMALLEST <= rate <= LARGEST:
        raise Refused(_("“%s” is not a rate.") % str(value)[:60], field)
    return rate
