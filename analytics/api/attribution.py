"""Attribution over the API, by one model or by all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.figures import Money, Rate
from analytics.api.query import DateRangeQuery
from analytics.attribution import (
    HALF_LIFE_DAYS,
    MODELS,
    Attribution,
    Credit,
    Dimension,
    PathQuery,
    Touch,
    attribution,
)
from analytics.days import day_bounds
from crm.api import ids, rights
from crm.api.files import Files
from crm.api.query import Query

ALL = "all"


class AttributionQuery(DateRangeQuery):
    """Attribute the orders from `since` to `until`, by default those of the last year."""

    usual_days = 365

    model = serializers.ChoiceField([*MODELS, ALL], default="last")
    by = serializers.ChoiceField([each.value for each in Dimension], default=Dimension.CAMPAIGN)
    touch = serializers.ChoiceField(
        [each.value for each in Touch],
        default=Touch.OPEN,
        help_text=gettext_lazy(
            "The event that makes a message a touchpoint; a click counts as an open."
        ),
    )
    window = serializers.IntegerField(
        min_value=1,
        max_value=365,
        default=30,
        help_text=gettext_lazy("Days before an order within which a touch counts."),
    )
    half_life = serializers.FloatField(
        min_value=0.1,
        max_value=365,
        default=HALF_LIFE_DAYS,
        help_text=gettext_lazy("Half-life of time decay, in days."),
    )
    order = serializers.IntegerField(
        min_value=1, max_value=3, default=1, help_text=gettext_lazy("Order of the Markov chain.")
    )
    simulated = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**attrs, **super().validate(attrs)}


class CreditSerializer(serializers.Serializer[Credit]):
    id = serializers.CharField(help_text=gettext_lazy("Campaign id or channel."))
    name = serializers.CharField()
    conversions = serializers.FloatField()
    value = Money()
    share = Rate(help_text=gettext_lazy("Share of the conversions with a touchpoint."))
    low = serializers.FloatField(
        allow_null=True, help_text=gettext_lazy("95 % bounds of conversions.")
    )
    high = serializers.FloatField(allow_null=True)


class ModelCreditsSerializer(serializers.Serializer[Any]):
    model = serializers.ChoiceField(MODELS)
    credits = CreditSerializer(many=True)


class AttributionSerializer(serializers.Serializer[Any]):
    since = serializers.DateField()
    until = serializers.DateField()
    by = serializers.CharField()
    touch = serializers.CharField()
    window = serializers.IntegerField()
    simulated = serializers.BooleanField()
    conversions = serializers.FloatField(help_text=gettext_lazy("All orders."))
    value = Money()
    untouched = serializers.FloatField(
        help_text=gettext_lazy("Orders without a touchpoint, which are attributed to nothing.")
    )
    untouched_value = Money()
    model = serializers.CharField()
    credits = CreditSerializer(
        many=True, help_text=gettext_lazy("Credits by the model; empty with model=all.")
    )
    models = ModelCreditsSerializer(
        many=True, help_text=gettext_lazy("Credits by each model, with model=all.")
    )


class AttributionView(Files, Query):
    """Attribution of orders to campaigns or channels."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = AttributionQuery

    @extend_schema(parameters=[AttributionQuery], responses=AttributionSerializer)
    def get(self, request: Request) -> Any:
        """Attribute orders by first, last, linear, time decay, position, Markov or Shapley."""
        query = self.query
        models = MODELS if query["model"] == ALL else (query["model"],)
        found = attribution(
            _path_query(query),
            models,
            half_life_days=query["half_life"],
            order=query["order"],
        )
        by_model = {model: _credits(found, model, query["by"]) for model in models}
        if self.wants_file:
            return self.file(["model", *CreditSerializer().fields], _flat(by_model))
        return Response(
            {
                **{name: query[name] for name in ("by", "touch", "window", "simulated", "model")},
                "since": query["first"],
                "until": query["last"],
                "conversions": found.conversions,
                "value": f"{found.value:.2f}",
                "untouched": found.untouched,
                "untouched_value": f"{found.untouched_value:.2f}",
                "credits": by_model.get(query["model"], []),
                "models": [{"model": model, "credits": each} for model, each in by_model.items()],
            }
        )


def _path_query(query: dict[str, Any]) -> PathQuery:
    return PathQuery(
        *day_bounds(query["first"], query["last"]),
        timedelta(days=query["window"]),
        Dimension(query["by"]),
        Touch(query["touch"]),
        query["simulated"],
    )


def _credits(found: Attribution, model: str, by: str) -> list[dict[str, Any]]:
    return [
        {
            "id": ids.encode("cmp", int(credit.touchpoint))
            if by == Dimension.CAMPAIGN
            else credit.touchpoint,
            "name": found.names[credit.touchpoint] or _("unknown"),
            "conversions": round(credit.conversions, 4),
            "value": f"{credit.value:.2f}",
            "share": round(credit.share, 4),
            "low": credit.low,
            "high": credit.high,
        }
        for credit in found.credits[model]
    ]


def _flat(by_model: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{"model": model, **each} for model in by_model for each in by_model[model]]
