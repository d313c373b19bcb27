"""The API of runs and messages."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.fields import People, PublicId
from crm.api.lists import Lists
from marketing import campaigns
from marketing.api.fields import ID, ByPublicId, decoded
from marketing.models import Campaign, CampaignExecution, CampaignRun, RunPost
from marketing.sending import Moment, Progress, history, progress_of, why


class PostSerializer(serializers.ModelSerializer[RunPost]):
    class Meta:
        model = RunPost
        fields: ClassVar[list[str]] = ["url", "provider_id", "posted_at", "attempts", "error"]
        read_only_fields = fields


class RunSerializer(serializers.ModelSerializer[CampaignRun]):
    id = PublicId("run")
    campaign = PublicId("cmp", source="campaign_id")
    status = serializers.ChoiceField(
        choices=CampaignRun.State.choices, source="state", read_only=True
    )

    post = PostSerializer(
        read_only=True, allow_null=True, default=None, help_text="Of a social campaign."
    )

    class Meta:
        model = CampaignRun
        fields: ClassVar[list[str]] = [
            "id", "campaign", "number", "status", "audience", "simulated", "error", "pause_reason", "post",
            "decides_at", "due_at", "missed", "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class ExecutionSerializer(serializers.ModelSerializer[CampaignExecution]):
    id = PublicId("msg")
    run = PublicId("run", source="run_id")
    customer = PublicId("cus", source="customer_id")

    class Meta:
        model = CampaignExecution
        fields: ClassVar[list[str]] = [
            "id", "run", "customer", "address", "state", "skip_reason", "variant", "attempts",
            "next_attempt_at", "error", "error_kind", "provider_id", "sent_at", "delivered_at", "bounced_at",
            "complained_at", "opened_at", "clicked_at", "opened_by_machine_at", "clicked_by_machine_at",
            "converted_at", "unsubscribed_at", "revenue",
        ]  # fmt: skip
        read_only_fields = fields


class MomentSerializer(serializers.Serializer[Moment]):
    what = serializers.CharField()
    at = serializers.DateTimeField()


class ExecutionDetailSerializer(ExecutionSerializer):
    campaign = PublicId("cmp", source="run.campaign_id")
    template = serializers.CharField(
        source="version", read_only=True, help_text="The template, and which version of it."
    )
    why = serializers.SerializerMethodField()
    history = serializers.SerializerMethodField()

    class Meta(ExecutionSerializer.Meta):
        fields: ClassVar[list[str]] = [
            *ExecutionSerializer.Meta.fields, "campaign", "template", "why", "history",
        ]  # fmt: skip
        read_only_fields = fields

    def get_why(self, execution: CampaignExecution) -> str:
        return why(execution)

    @extend_schema_field(MomentSerializer(many=True))
    def get_history(self, execution: CampaignExecution) -> list[dict[str, Any]]:
        return [MomentSerializer(moment).data for moment in history(execution)]


class ExecutionFilter(django_filters.FilterSet):
    run = django_filters.CharFilter(method="of_run", help_text="Id of a run.")

    class Meta:
        model = CampaignExecution
        fields: ClassVar[list[str]] = ["state", "skip_reason", "error_kind", "run"]

    def of_run(
        self, messages: QuerySet[CampaignExecution], name: str, value: str
    ) -> QuerySet[CampaignExecution]:
        return messages.filter(run=ids.decode("run", value))


class RealtimeSerializer(serializers.Serializer[dict[str, Any]]):
    """The progress of the newest run; all zero before the first."""

    status = serializers.ChoiceField(choices=Campaign.State.choices)
    run = serializers.CharField(allow_null=True)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    sent = serializers.IntegerField()
    failed = serializers.IntegerField()
    by_state = serializers.DictField(child=serializers.IntegerField())
    by_skip_reason = serializers.DictField(child=serializers.IntegerField())
    by_error_kind = serializers.DictField(child=serializers.IntegerField())
    rate_per_second = serializers.FloatField()
    delivery_rate = serializers.FloatField(
        allow_null=True,
        help_text="Delivered / sent, 0 to 1; null before the first message is sent.",
    )
    eta = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(allow_blank=True)


class PersonSerializer(serializers.Serializer[campaigns.AudienceMember]):
    """A customer of an audience, and the address that a message would go to."""

    customer = PublicId("cus", source="customer_id")
    name = serializers.CharField()
    address = serializers.CharField()


class DryRunSerializer(serializers.Serializer[campaigns.DryRun]):
    """The recipients, and the skipped customers by reason."""

    audience = People()
    reachable = People()
    delayed = People(help_text="Recipients in quiet hours now.")
    skipped = serializers.DictField(child=People())
    variants = serializers.DictField(
        child=People(),
        help_text="Recipients by variant; “” waits for the winner.",
    )
    people = serializers.DictField(
        source="samples",
        child=PersonSerializer(many=True),
        help_text="The first customers of each reason; “” is the recipients.",
    )
    fingerprint = serializers.SerializerMethodField(
        help_text="Stands for everything that an approval would cover; see approve."
    )

    def get_fingerprint(self, _found: campaigns.DryRun) -> str:
        return campaigns.overall_fingerprint(self.context["campaign"])


def realtime(campaign: Campaign) -> dict[str, Any]:
    """Return the current figures of RealtimeSerializer."""
    run = campaign.runs.first()
    counts = progress_of(run) if run else Progress({}, {}, 0.0, None)
    figures = {
        "status": campaign.state,
        "run": ids.encode("run", run.pk) if run else None,
        "total": counts.total,
        "done": counts.done,
        "sent": counts.sent,
        "failed": counts.failed,
        "by_state": counts.by_state,
        "by_skip_reason": counts.by_skip_reason,
        "by_error_kind": counts.by_error_kind,
        "rate_per_second": round(counts.rate_per_second, 2),
        "delivery_rate": counts.delivery_rate,
        "eta": counts.eta,
        "error": run.error if run else "",
    }
    return dict(RealtimeSerializer(figures).data)


@extend_schema_view(get=extend_schema(parameters=[ID]))
class RunsView(Endpoint, Lists, ListAPIView[CampaignRun]):
    """The runs of a campaign, newest first."""

    rights = rights.each(get="marketing.view_campaignrun")
    serializer_class = RunSerializer
    queryset = CampaignRun.objects.all()
    search_fields = ()
    ordering_fields = ("number",)

    def get_queryset(self) -> QuerySet[CampaignRun]:
        return super().get_queryset().filter(campaign=_campaign(self.kwargs["id"]))


@extend_schema_view(get=extend_schema(parameters=[ID]))
class ExecutionsView(Endpoint, Lists, ListAPIView[CampaignExecution]):
    """The messages of all runs of a campaign, oldest first."""

    rights = rights.each(get="marketing.view_campaignexecution")
    serializer_class = ExecutionSerializer
    queryset = CampaignExecution.objects.order_by("pk")
    filterset_class = ExecutionFilter
    search_fields = ()
    ordering_fields = ("id",)

    def get_queryset(self) -> QuerySet[CampaignExecution]:
        return super().get_queryset().filter(run__campaign=_campaign(self.kwargs["id"]))


@extend_schema_view(get=extend_schema(parameters=[ID]))
class ExecutionView(Endpoint, ByPublicId, RetrieveAPIView[CampaignExecution]):
    """A message with its state, the reason for it, and its history."""

    rights = rights.each(get="marketing.view_campaignexecution")
    id_kind = "msg"
    serializer_class = ExecutionDetailSerializer
    queryset = CampaignExecution.objects.select_related("run", "run__version__template")


def _campaign(public_id: str) -> Campaign:
    return get_object_or_404(Campaign, pk=decoded("cmp", public_id))
