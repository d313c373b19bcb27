"""Serializers of segments, members and previews."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.settings import api_settings
from rest_framework.validators import UniqueValidator

from crm.api.fields import People, PublicId
from customers.api.serializers import IndexedErrorSerializer
from customers.models import Customer, Segment, SegmentMembership
from customers.models.segment import everyone, free_slug
from customers.segments import (
    Preview,
    RuleError,
    SegmentInUse,
    check_can_rename,
    shown_rules,
    validate_rules,
)

MOST_CUSTOMERS = 10_000
EXACT = _("Wait for the exact count, however long it takes.")


def checked_rules(rules: object, segment: Segment | None = None) -> dict[str, Any]:
    """Return rules in canonical form. Raises DRF's ValidationError with each error at its path."""
    try:
        return validate_rules(rules, of=segment)
    except RuleError as refused:
        detail: dict[str, list[str]] = {}
        for error in refused.errors:
            path = error["path"] or api_settings.NON_FIELD_ERRORS_KEY
            detail.setdefault(path, []).append(error["message"])
        raise serializers.ValidationError({"rules": detail}) from None


@extend_schema_field(OpenApiTypes.OBJECT)
class RulesField(serializers.JSONField):
    """The rule language; `validate` checks it as a whole. Values that the user may not see are masked."""

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(shown_rules(value))


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    id = PublicId("seg")
    slug = serializers.SlugField(
        required=False,
        max_length=200,
        help_text=_("The name in rules and campaigns; by default made from the name."),
        validators=[UniqueValidator(Segment.objects.all())],
    )
    rules = RulesField(required=False, default=everyone)
    size = People()

    class Meta:
        model = Segment
        fields: ClassVar[list[str]] = [
            "id", "name", "slug", "description", "kind", "rules",
            "size", "refreshed_at", "refresh_ms", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = [
            "size",
            "refreshed_at",
            "refresh_ms",
            "created_at",
            "updated_at",
        ]

    def validate_slug(self, slug: str) -> str:
        if self.instance is not None and slug != self.instance.slug:
            try:
                check_can_rename(self.instance)
            except SegmentInUse as in_use:
                raise serializers.ValidationError(str(in_use)) from None
        return slug

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "rules" in attrs:
            attrs["rules"] = checked_rules(attrs["rules"], self.instance)
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Segment:
        validated_data.setdefault("slug", free_slug(validated_data["name"]))
        return super().create(validated_data)


class SampleSerializer(serializers.ModelSerializer[Customer]):
    """The main fields of a customer."""

    id = PublicId("cus")
    name = serializers.CharField(read_only=True)

    class Meta:
        model = Customer
        fields: ClassVar[list[str]] = [
            "id", "external_id", "name", "email", "city", "country", "total_spend", "order_count", "last_order_at",
        ]  # fmt: skip


class MemberSerializer(serializers.ModelSerializer[SegmentMembership]):
    customer = SampleSerializer(read_only=True)

    class Meta:
        model = SegmentMembership
        fields: ClassVar[list[str]] = ["customer", "entered_at"]


class RefreshedSerializer(serializers.Serializer[Any]):
    added = People()
    removed = People()
    size = People()
    ms = serializers.IntegerField()


class ChangeMembersSerializer(serializers.Serializer[Any]):
    customers = serializers.ListField(
        child=serializers.CharField(max_length=200),
        allow_empty=False,
        max_length=MOST_CUSTOMERS,
        help_text=_("Ids (`cus_…`), external ids or e-mail addresses."),
    )


class ChangedMembersSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField(help_text=_("Number of members added or removed."))
    size = People()
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text=_("Ids and addresses of no customer.")
    )
    errors = IndexedErrorSerializer(many=True)  # type: ignore[assignment]


class OverlapSerializer(serializers.Serializer[Any]):
    only_first = People()
    both = People()
    only_second = People()


class PreviewRequestSerializer(serializers.Serializer[Any]):
    rules = RulesField()
    exact = serializers.BooleanField(default=False, help_text=EXACT)


class PreviewSerializer(serializers.Serializer[Preview]):
    count = People(source="count.number")
    count_estimated = serializers.BooleanField(
        source="count.estimated",
        help_text=_(
            "True for an estimate: of more than 200,000 customers, where counting takes too long."
        ),
    )
    margin = serializers.IntegerField(
        allow_null=True,
        help_text=_(
            "Of an estimate: with 95 % confidence, the exact count is at most so far away. Else null."
        ),
    )
    percentage = serializers.FloatField(help_text=_("Of all customers."))
    sample = SampleSerializer(many=True)
    sql_ms = serializers.IntegerField(source="ms")
