"""The endpoints of frequency caps and quiet hours."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.viewsets import ModelViewSet

from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from marketing.api.errors import MarketingProblems
from marketing.api.fields import ID, ByPublicId
from marketing.models import FrequencyRule, QuietHours

ONE = {
    method: extend_schema(parameters=[ID])
    for method in ("retrieve", "update", "partial_update", "destroy")
}


class FrequencyRuleSerializer(serializers.ModelSerializer[FrequencyRule]):
    id = PublicId("cap")

    class Meta:
        model = FrequencyRule
        fields: ClassVar[list[str]] = ["id", "name", "channel", "messages", "days", "active"]


class QuietHoursSerializer(serializers.ModelSerializer[QuietHours]):
    id = PublicId("qhr")

    class Meta:
        model = QuietHours
        fields: ClassVar[list[str]] = ["id", "name", "channel", "starts_at", "ends_at", "active"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        known = self.instance
        times = {attrs.get(name, getattr(known, name, None)) for name in ("starts_at", "ends_at")}
        if len(times) == 1:
            raise serializers.ValidationError(
                {"ends_at": _("Enter an end that differs from the start.")}
            )
        return attrs


@extend_schema_view(**ONE)
class FrequencyRuleViewSet(
    MarketingProblems, Endpoint, Lists, ByPublicId, ModelViewSet[FrequencyRule]
):
    """Frequency caps: a maximum of messages to a customer in a period, from all campaigns that are not exempt."""

    rights = rights.of_settings("marketing.frequencyrule")
    id_kind = "cap"
    serializer_class = FrequencyRuleSerializer
    queryset = FrequencyRule.objects.all()
    filterset_fields = ("channel", "active")
    search_fields = ("name",)
    ordering_fields = ("id", "name")


@extend_schema_view(**ONE)
class QuietHoursViewSet(MarketingProblems, Endpoint, Lists, ByPublicId, ModelViewSet[QuietHours]):
    """Quiet hours: local times of the customer between which messages wait."""

    rights = rights.of_settings("marketing.quiethours")
    id_kind = "qhr"
    serializer_class = QuietHoursSerializer
    queryset = QuietHours.objects.all()
    filterset_fields = ("channel", "active")
    search_fields = ("name",)
    ordering_fields = ("id", "name")
