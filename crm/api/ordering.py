"""`?ordering=` with stable results."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from crm import masking


class Ordering(OrderingFilter):
    """DRF's filter, but an unknown field is a 400, and equal rows have one order, so that pages neither repeat nor miss a row.

    Masked personal data cannot be ordered by, because the position in a list reveals much of it.
    """

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        ordering = self.get_ordering(request, queryset, view)
        if not ordering:
            return queryset
        return queryset.order_by(*ordering, "-pk" if ordering[0].startswith("-") else "pk")

    def get_valid_fields(self, queryset: Any, view: Any, context: Any = None) -> Any:
        fields = super().get_valid_fields(queryset, view, context or {})
        hidden = masking.is_on()
        return [
            each for each in fields if not (hidden and masking.is_personal(queryset.model, each[0]))
        ]

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Any, view: Any, request: Request
    ) -> Any:
        known = [
            name for name, _label in self.get_valid_fields(queryset, view, {"request": request})
        ]
        for field in fields:
            if field.removeprefix("-") not in known:
                message = _("Cannot order by “%(name)s”. Use one of: %(known)s.")
                names = ", ".join(known) or _("none")
                raise ValidationError({"ordering": [message % {"name": field, "known": names}]})
        return fields
