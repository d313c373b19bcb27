"""The button that creates a lookalike: a static segment of customers similar to the members."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from crm.adminkit import confirm
from customers.models import Customer, Segment
from customers.segments import NoLookalike, find_lookalikes

PERCENT = 5


class Lookalikes:
    """A mixin for the segment admin: list `find_lookalikes` in `actions_detail`."""

    @action(
        description=gettext_lazy("Find similar customers"),
        icon="group_search",
        permissions=["change"],
    )
    def find_lookalikes(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        base = get_object_or_404(Segment, pk=object_id)
        page = reverse("admin:customers_segment_change", args=[base.pk])
        if not confirm.given(request):
            return confirm.page(self, request, back=page, **_question(base))
        try:
            found = find_lookalikes(base, percent=PERCENT)
        except NoLookalike as refused:
            self.message_user(request, str(refused), "warning")
            return HttpResponseRedirect(page)
        self.message_user(request, found.segment.description)
        return HttpResponseRedirect(
            reverse("admin:customers_segment_change", args=[found.segment.pk])
        )


def _question(base: Segment) -> dict[str, Any]:
    outside = max(Customer.objects.present().count() - base.memberships.count(), 0)
    return {
        "title": _("Find customers similar to “%s”?") % base,
        "button": _("Find similar customers"),
        "facts": [
            confirm.customers(base.size, _("members to learn from")),
            confirm.customers(outside, _("customers outside")),
        ],
        "note": _(
            "A new static segment gets the %(percent)s %% of customers outside who are most similar to its members by purchases,"
            " activity, interests and place. Its description lists the main differences. Large segments take a few minutes;"
            " the API offers other sizes."
        )
        % {"percent": PERCENT},
    }
