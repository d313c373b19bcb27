"""Search and filters of lists without masked personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import SearchFilter
from rest_framework.request import Request

from crm import masking

if TYPE_CHECKING:  # rest_framework.views reads the settings that name this module
    from rest_framework.views import APIView


class Filters(DjangoFilterBackend):
    """django-filter's backend, which refuses a value that the user would see masked."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        model = queryset.model
        filterset = self.get_filterset(request, queryset, view) if masking.is_on() else None
        for name, each in filterset.filters.items() if filterset else ():
            mask = masking.mask_of(model, each.field_name)
            value = request.query_params.get(name)
            if mask and value and mask(value) != value:
                masking.refuse()
        return super().filter_queryset(request, queryset, view)


class Search(SearchFilter):
    def get_search_fields(self, view: APIView, request: Request) -> Any:
        fields = super().get_search_fields(view, request)
        queryset = getattr(view, "queryset", None)
        return fields if queryset is None else masking.searchable(queryset.model, fields or ())

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Describe `?search=` where the list has fields to search."""
        return (
            super().get_schema_operation_parameters(view)
            if getattr(view, "search_fields", None)
            else []
        )
