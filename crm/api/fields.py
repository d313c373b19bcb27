"""Serializer fields of every app."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api import ids


@extend_schema_field(OpenApiTypes.STR)
class PublicId(serializers.Field[int, Any, str, Any]):
    """A read-only field with a primary key as a public id; `source` is None if the field has the name of its column."""

    def __init__(self, kind: str, source: str | None = "pk", **options: Any) -> None:
        super().__init__(source=source, read_only=True, **options)
        self.kind = kind

    def to_representation(self, value: int) -> str:
        return ids.encode(self.kind, value)
