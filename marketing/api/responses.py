"""The endpoint for responses to imported campaigns."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from customers.api import async_imports, given
from customers.api.customers import batch_answer
from customers.ingest import Outcome, Refused
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


class CampaignResponsesView(Endpoint):
    rights = rights.each(post=("marketing.add_campaign", "marketing.change_campaign"))
    takes_in_data = True

    @extend_schema(
        parameters=[async_imports.MODE],
        request=CampaignResponsesSerializer,
        responses=async_imports.BATCH_ANSWERS,
    )
    def post(self, request: Request) -> Response:
        """Import one response, or up to 10,000 as `responses`. Invalid ones do not affect the others: then the answer is 207."""
        if isinstance(request.data, dict) and "responses" not in request.data:
            return self._take_one(request.data)
        items = given.a_list(request.data, "responses")
        if async_imports.is_wanted(request):
            return async_imports.queue(request, KIND, given.spelled(items, SPELLINGS))
        results: list[dict[str, Any]] = [{} for _item in items]
        rows, places = [], []
        for place, item in enumerate(items):
            try:
                rows.append(_read(item))
                places.append(place)
            except Refused as refused:
                results[place] = given.as_failure(place, refused)
        for place, result in zip(places, past_campaigns.record_responses(rows), strict=True):
            results[place] = (
                given.as_failure(place, Refused(result.reason))
                if result.pk is None
                else {
                    "index": place,
                    "status": result.outcome.value,
                    "id": ids.encode("msg", result.pk),
                }
            )
        return batch_answer(results)

    def _take_one(self, item: Any) -> Response:
        try:
            result = past_campaigns.record_responses([_read(item)])[0]
            if result.pk is None:
                raise Refused(result.reason)
        except Refused as refused:
            raise given.as_validation_error(refused) from None
        body = {"status": result.outcome.value, "id": ids.encode("msg", result.pk)}
        return Response(body, status=201 if result.outcome is Outcome.CREATED else 200)


def _read(item: Any) -> dict[str, Any]:
    known = given.known_fields(item, SPELLINGS, past_campaigns.RESPONSE)
    if not known.get("type"):
        raise Refused("is missing.", "type")
    return past_campaigns.clean_response(known)
