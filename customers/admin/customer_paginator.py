"""A paginator for few matches among many customers."""

from __future__ import annotations

from typing import Any, cast

from django.core.paginator import Page
from django.db.models import QuerySet

from crm.estimated_counts import CheapPaginator
from customers.models import Customer

FEW = 5_000


class FewMatchesPaginator(CheapPaginator):
    """Fetches few matches by key. For a page of the newest, PostgreSQL walks from the newest customer and hopes for matches; where they
    are old it walks the whole table. Their keys the count has just found by an index."""

    def page(self, number: int | str) -> Page[Any]:
        found = cast(QuerySet[Customer], self.object_list)
        if not self.measured.estimated and self.count <= FEW and found.query.has_filters():
            keys = list(found.order_by().values_list("pk", flat=True))
            self.object_list = found.filter(pk__in=keys)
        return super().page(number)
