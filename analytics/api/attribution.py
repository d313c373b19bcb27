"""Who is owed the orders: one of the attribution models, or all of them beside each other."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.figures import Money, Rate
from analytics.api.query import SpanQuery
from analytics.attribution.credit import HALF_LIFE_DAYS, MODELS, Credit
from analytics.attribution.report import Attribution, attribution
from analytics.attribution.timeline import By, Question, Touch
from crm.api import ids, rights
from crm.api.files import Files
from crm.api.query import Query

ALL = "all"


class AttributionQuery(SpanQuery):
    """Orders of the days from `since` to `until`, by default the last year of orders."""

    usual_days = 365

    model = serializers.ChoiceField([*MODELS, ALL], default="last")
    by = serializers.ChoiceField([each.value for each in By], default=By.CAMPAIGN)
    touch = serializers.ChoiceField(
        [each.value for each in Touch],
        default=Touch.OPEN,
        help_text=gettext_lazy("What counts as being touched; a click is an open, too."),
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
        help_text=gettext_lazy("Of time decay, in days."),
    )
    order = serializers.IntegerField(
        min_value=1, max_value=3, default=1, help_text=gettext_lazy("Of the Markov chain.")
    )
    simulated = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**attrs, **super().validate(attrs)}


class CreditSerializer(serializers.Serializer[Credit]):
    id = serializers.CharField(help_text=gettext_lazy("cmp_…, or the channel."))
    name = serializers.CharField()
    conversions = serializers.FloatField()
    value = Money()
    share = Rate(help_text=gettext_lazy("Of the conversions that any message came before."))
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
        help_text=gettext_lazy("Orders that no message came before; nobody is owed them.")
    )
    untouched_value = Money()
    model = serializers.CharField()
    credits = CreditSerializer(
        many=True, help_text=gettext_lazy("Of the model; of all of them with model=all: none.")
    )
    models = ModelCreditsSerializer(
        many=True, help_text=gettext_lazy("With model=all, every model's credits.")
    )


class AttributionView(Files, Query):
    """Which campaigns or channels the orders are owed to."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = AttributionQuery

    @extend_schema(parameters=[AttributionQuery], responses=AttributionSerializer)
    def get(self, request: Request) -> Any:
        """By first, last, linear, time decay, position, Markov removal effects or Shapley values."""
        asked = self.query
        wanted = MODELS if asked["model"] == ALL else (asked["model"],)
        found = attribution(
            _question(asked),
            wanted,
            half_life_days=asked["half_life"],
            order=asked["order"],
        )
        told = {model: _told(found, model, asked["by"]) for model in wanted}
        if self.wants_file:
            return self.file(["model", *CreditSerializer().fields], _flat(told))
        return Response(
            {
                **{name: asked[name] for name in ("by", "touch", "window", "simulated", "model")},
                "since": asked["first"],
                "until": asked["last"],
                "conversions": found.conversions,
                "value": f"{found.value:.2f}",
                "untouched": found.untouched,
                "untouched_value": f"{found.untouched_value:.2f}",
                "credits": told.get(asked["model"], []),
                "models": [{"model": model, "credits": each} for model, each in told.items()],
            }
        )


def _question(asked: dict[str, Any]) -> Question:
    def midnight(day: Any) -> datetime:
        return timezone.make_aware(datetime.combine(day, time.min))

    return Question(
        midnight(asked["first"]),
        midnight(asked["last"] + timedelta(days=1)),
        timedelta(days=asked["window"]),
        By(asked["by"]),
        Touch(asked["touch"]),
        asked["simulated"],
    )


def _told(found: Attribution, model: str, by: str) -> list[dict[str, Any]]:
    return [
        {
            "id": ids.encode("cmp", int(credit.touchpoint))
            if by == By.CAMPAIGN
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


def _flat(told: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{"model": model, **each} for model, credits_of in told.items() for each in credits_of]
