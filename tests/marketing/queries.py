"""Counting the queries that marketing itself makes, whatever sign-in and sidebar cost."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext


def marketing_queries(do: Callable[[], object]) -> list[str]:
    """The queries of `do` that read marketing's tables."""
    with CaptureQueriesContext(connection) as captured:
        do()
    return [query["sql"] for query in captured if "marketing_" in query["sql"]]
