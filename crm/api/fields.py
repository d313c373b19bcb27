"""Serializer fields of every app."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm import masking
from crm.api import ids


class People(serializers.IntegerField):
    """A read-only number of customers: for users with masked data null below 10, else rounded down to tens."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **options)

    def to_representation(self, value: Any) -> Any:
        return masking.people(super().to_representation(value))


@extend_schema_field(OpenApiTypes.STR)
class PublicId(serializers.Field[int, Any, str, Any]):
    """A read-only field with a primary key as a public id; `source` is None if the field has the name of its column."""

    def __init__(self, kind: str, source: str | None = "pk", **options: Any) -> None:
        super().__init__(source=source, read_only=True, **options)
        self.kind = kind

    def to_representation(self, value: int) -> str:
        return ids.encode(self.kind, value)
