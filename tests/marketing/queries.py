"""Count the queries on marketing tables, without those of login and sidebar."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext


def marketing_queries(do: Callable[[], object]) -> list[str]:
    """Return the queries of `do` on marketing tables."""
    with CaptureQueriesContext(connection) as captured:
        do()
    return [query["sql"] for query in captured if "marketing_" in query["sql"]]
