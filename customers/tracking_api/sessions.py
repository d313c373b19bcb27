"""Count page views into visits: views less than half an hour apart are one visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from customers import customer_totals
from customers.models import Customer, Visit
from customers.timeline import NewInteraction

GAP = timedelta(minutes=30)
"""As in web analytics: https://support.google.com/analytics/answer/12798876"""
LONGEST_VISIT = timedelta(days=1)


def count_visits(views: Sequence[NewInteraction]) -> None:
    """Add page views to visits or begin new ones, and update the customers' totals."""
    if not views:
        return
    customers = sorted({view.customer_id for view in views})
    with transaction.atomic():
        # two batches with views of one customer would begin the same visit twice
        list(
            Customer.objects.select_for_update(no_key=True).filter(pk__in=customers).order_by("pk")
        )
        known = _visits_around(views, customers)
        for view in sorted(views, key=lambda view: view.occurred_at):
            visits = known[view.customer_id]
            visit = next((each for each in visits if _belongs(view.occurred_at, each)), None)
            if visit is None:
                visits.append(_begun_by(view))
            else:
                _extend(visit, view.occurred_at)
        visits = [visit for each in known.values() for visit in each]
        Visit.objects.bulk_create(visit for visit in visits if visit.pk is None)
        Visit.objects.bulk_update(
            (visit for visit in visits if visit.pk), ["occurred_at", "pages", "seconds"]
        )
        customer_totals.recompute(customers)


def _visits_around(
    views: Sequence[NewInteraction], customers: Sequence[int]
) -> dict[int, list[Visit]]:
    moments = [view.occurred_at for view in views]
    found: dict[int, list[Visit]] = defaultdict(list)
    for visit in Visit.objects.filter(
        customer__in=customers,
        occurred_at__range=(min(moments) - LONGEST_VISIT, max(moments) + GAP),
        pages__isnull=False,
    ):
        found[visit.customer_id].append(visit)
    return found


def _belongs(at: datetime, visit: Visit) -> bool:
    end = visit.occurred_at + timedelta(seconds=visit.seconds or 0)
    return visit.occurred_at - GAP < at < end + GAP


def _begun_by(view: NewInteraction) -> Visit:
    return Visit(
        external_id=f"{view.customer_id}@{view.occurred_at.isoformat()}",
        customer_id=view.customer_id,
        occurred_at=view.occurred_at,
        url=_text(view.properties, 2000, "url", "path"),
        title=_text(view.properties, 300, "title", "name"),
        referrer=_text(view.properties, 2000, "referrer"),
        pages=1,
        seconds=0,
    )


def _extend(visit: Visit, at: datetime) -> None:
    end = max(visit.occurred_at + timedelta(seconds=visit.seconds or 0), at)
    visit.occurred_at = min(visit.occurred_at, at)
    visit.seconds = round((end - visit.occurred_at).total_seconds())
    visit.pages = (visit.pages or 0) + 1


def _text(properties: Mapping[str, object], longest: int, *names: str) -> str:
    given = (properties.get(name) for name in names)
    return next((value[:longest] for value in given if isinstance(value, str) and value), "")
