"""Pages of the API's lists, with a count that stays cheap on big tables."""

from __future__ import annotations

from typing import Any, cast

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from crm.estimated_counts import CheapPaginator


class Pages(PageNumberPagination):
    """`?page=` and `?page_size=` (50, at most 500); an estimated count comes with `"count_estimated": true`."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
    django_paginator_class = CheapPaginator

    def get_page_size(self, request: Request) -> int:
        """Return the page size, at most max_page_size. Raises ValidationError."""
        given = request.query_params.get(self.page_size_query_param)
        if given is None:
            return self.page_size
        if not given.isascii() or not given.isdigit() or not int(given[:10]):
            raise ValidationError({"page_size": [_("Enter a number from 1 to 500.")]})
        return min(int(given[:10]), self.max_page_size)

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        assert self.page is not None
        if cast(CheapPaginator, self.page.paginator).measured.estimated:
            response.data["count_estimated"] = True
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        described["properties"]["count_estimated"] = {
            "type": "boolean",
            "description": "Present and true where the count is the database's estimate.",
        }
        return described
