"""Pages of a few matches among very many customers."""

from __future__ import annotations

from typing import Any, cast

from django.core.paginator import Page
from django.db.models import QuerySet

from crm.estimated_counts import CheapPaginator
from customers.models import Customer

FEW = 5_000


class FewMatchesPaginator(CheapPaginator):
    """For a page of the newest, PostgreSQL walks from the newest customer on and hopes to meet matches soon; where they are old it walks
    the whole table. Few matches are therefore fetched by their keys, which the count just found by an index."""

    def page(self, number: int | str) -> Page[Any]:
        found = cast(QuerySet[Customer], self.object_list)
        if not self.measured.estimated and self.count <= FEW and found.query.has_filters():
            keys = list(found.order_by().values_list("pk", flat=True))
            self.object_list = found.filter(pk__in=keys)
        return super().page(number)
