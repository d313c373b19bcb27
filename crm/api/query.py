"""Query parameters of views without a list: one serializer validates and documents them."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import Serializer

from crm.api.parameters import KnownParameters


class Query(KnownParameters):
    """Mixin for views with a `query_serializer_class`."""

    query_serializer_class: type[Serializer[Any]]

    @property
    def query(self) -> dict[str, Any]:
        """Return the validated parameters of this request. Raises ValidationError."""
        given = self.query_serializer_class(data=self.request.query_params)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)
