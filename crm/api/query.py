"""Query parameters of views that are no lists: said once, as a serializer, for checking, for the schema and for the browsable API."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import Serializer
from rest_framework.views import APIView


class Query(APIView):
    """Mixin for views whose parameters `query_serializer_class` knows."""

    query_serializer_class: type[Serializer[Any]]

    @property
    def query(self) -> dict[str, Any]:
        """The parameters of this request. Raises ValidationError for what they cannot be."""
        given = self.query_serializer_class(data=self.request.query_params)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)
