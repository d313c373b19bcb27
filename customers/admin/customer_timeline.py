"""The timeline on a customer's page: filtered by type or day, and paged."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.utils import parse_date_str

from crm.adminkit.base import ModelAdmin, page
from customers.models import Customer
from customers.timeline import KINDS, read_page


class TimelinePages(ModelAdmin):
    """Mixin for the admin of customers (put it first)."""

    @page("timeline", "<int:pk>/timeline/", "view")
    def timeline_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer with timeline entries, and the button for older ones."""
        customer = self.get_object(request, str(pk))
        if customer is None:
            raise Http404
        context = entries(customer, request)
        return TemplateResponse(request, "admin/customers/customer/timeline.html", context)


def entries(customer: Customer, request: HttpRequest) -> dict[str, Any]:
    """Return the context of admin/customers/customer/timeline.html for the requested page."""
    asked = request.GET
    kind = asked.get("kind", "") if asked.get("kind", "") in KINDS else ""
    day = asked.get("day", "")
    page = read_page(customer, kind=kind, until=_end_of(day), before=asked.get("before", ""))
    return {
        "customer": customer,
        "page": page,
        "older_url": f"{_url(customer)}?{urlencode({'kind': kind, 'day': day, 'before': page.older})}",
        "kind": kind,
        "day": day,
        "kinds": KINDS,
        "timeline_url": _url(customer),
        "is_narrowed": bool(kind or day),
        "is_continued": "before" in asked,
    }


def _url(customer: Customer) -> str:
    return reverse("admin:customers_customer_timeline", args=[customer.pk])


def _end_of(day: str) -> datetime | None:
    found = parse_date_str(day)
    if found is None:
        return None
    return timezone.make_aware(datetime.combine(found + timedelta(days=1), time.min))
