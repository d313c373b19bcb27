"""The endpoint for responses to imported campaigns."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from customers.api import rows
from customers.ingest import Refused, Result
from marketing import past_campaigns

KIND = "campaign_responses"
SPELLINGS = {
    "campaign": "campaign_id",
    "campaignId": "campaign_id",
    "customerId": "customer_id",
    "customer": "customer_id",
    "occurredAt": "occurred_at",
}


class CampaignResponseSerializer(serializers.Serializer[Any]):
    campaign = serializers.CharField(help_text="External ID, ID or name of the campaign.")
    customer_id = serializers.CharField(help_text="ID, external ID or e-mail of the customer.")
    type = serializers.ChoiceField(past_campaigns.TYPES)
    occurred_at = serializers.DateTimeField()
    variant = serializers.CharField(required=False)
    revenue = serializers.DecimalField(14, 2, required=False)


class CampaignResponsesSerializer(serializers.Serializer[Any]):
    responses = CampaignResponseSerializer(many=True)


class WrittenResponseSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["created", "updated", "unchanged"])
    id = serializers.CharField()


class CampaignResponsesView(Endpoint):
    rights = rights.each(post=rights.ingest("marketing.add_campaign", "marketing.change_campaign"))
    reports_facts = True

    @extend_schema(
        parameters=[rows.MODE, rows.DATE_ORDER],
        request=CampaignResponsesSerializer,
        responses=rows.one_or_many(WrittenResponseSerializer, is_outcome=True),
    )
    def post(self, request: Request) -> Response:
        """Import one response, or up to 10,000 as `responses`. Invalid ones do not affect the others: then the answer is 207."""
        record = past_campaigns.record_responses
        if isinstance(request.data, dict) and "responses" not in request.data:
            result = rows.write_one(request, request.data, _read, record)
            return rows.answer(
                request, result, {"status": result.outcome.value, **_body(None, result)}
            )
        items = rows.a_list(request.data, "responses")
        if rows.is_async(request):
            return rows.queue_rows(request, KIND, rows.renamed(items, SPELLINGS))
        return rows.write_batch(request, items, _read, record, _body)


def _body(_row: Any, result: Result) -> dict[str, Any]:
    assert result.pk
    return {"id": ids.encode("msg", result.pk)}


def _read(item: Any) -> dict[str, Any]:
    known = rows.known_fields(item, SPELLINGS, past_campaigns.RESPONSE)
    if known.get("type") not in past_campaigns.TYPES:
        raise Refused(f"is missing, or none of {', '.join(past_campaigns.TYPES)}.", "type")
    return past_campaigns.clean_response(known)
