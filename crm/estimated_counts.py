"""Cheap counts: exact up to a limit, the planner's estimate beyond; and pages based on them."""

from __future__ import annotations

import json
from collections.abc import Sized
from typing import Any, NamedTuple

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

EXACT_TO = 100_000


class Count(NamedTuple):
    number: int
    estimated: bool


def count(rows: QuerySet[Any] | Sized, *, exact_to: int = EXACT_TO) -> Count:
    """Count rows: exactly up to `exact_to`, beyond by PostgreSQL's estimate for the query."""
    if not isinstance(rows, QuerySet):
        return Count(len(rows), estimated=False)
    unordered = rows.order_by()
    counted = unordered[: exact_to + 1].count()
    if counted <= exact_to:
        return Count(counted, estimated=False)
    plan = json.loads(unordered.explain(format="json"))
    return Count(max(counted, int(plan[0]["Plan"]["Plan Rows"])), estimated=True)


class CheapPage(Page[Any]):
    """A page of an estimated count: a full page has a next one, so that a low estimate hides no rows."""

    paginator: CheapPaginator

    def has_next(self) -> bool:
        if self.paginator.measured.estimated:
            return len(self.object_list) == self.paginator.per_page
        return super().has_next()

    def next_page_number(self) -> int:
        return self.number + 1 if self.has_next() else super().next_page_number()


class CheapPaginator(Paginator):
    """Django's paginator with `count()`; a page beyond an estimate is queried, not refused."""

    @cached_property
    def measured(self) -> Count:
        return count(self.object_list)

    @cached_property
    def count(self) -> int:
        return self.measured.number

    def page(self, number: int | str) -> Page[Any]:
        if not self.measured.estimated:
            return super().page(number)
        number = max(int(number), 1) if str(number).isdigit() else super().validate_number(number)
        start = (number - 1) * self.per_page
        rows = self.object_list[start : start + self.per_page]
        if number > 1 and not rows:
            raise EmptyPage(_("That page contains no results"))
        return self._get_page(rows, number, self)

    def _get_page(self, *args: Any, **kwargs: Any) -> Page[Any]:
        return CheapPage(*args, **kwargs)
