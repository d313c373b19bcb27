"""Serializers of figures: rates are fractions from 0 to 1, money is a decimal string in the site's currency."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from analytics.returns import Roi

FORMULA = "roi = (revenue - cost) / cost"


class Rate(serializers.FloatField):
    """A fraction with four decimal places; null if undefined."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True, **options})

    def to_representation(self, value: Any) -> Any:
        return round(float(value), 4)


class Money(serializers.DecimalField):
    """A decimal string with two decimal places."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 20, "decimal_places": 2, **options})


class TotalsSerializer(serializers.Serializer[Any]):
    """Counters and rates of messages. `arrived` is delivered, or sent and not bounced if the provider reports no deliveries."""

    sent = serializers.IntegerField()
    delivered = serializers.IntegerField()
    arrived = serializers.IntegerField()
    bounced = serializers.IntegerField(help_text="Bounced messages, with those refused.")
    refused = serializers.IntegerField(help_text="Refused by the provider; not among sent.")
    opened = serializers.IntegerField(help_text="Messages opened at least once.")
    opens = serializers.IntegerField(help_text="All opens.")
    clicked = serializers.IntegerField(help_text="Messages clicked at least once.")
    clicks = serializers.IntegerField(help_text="All clicks.")
    converted = serializers.IntegerField(help_text="Messages with an attributed order.")
    unsubscribed = serializers.IntegerField()
    revenue = Money(help_text="Revenue of those orders.")
    delivery_rate = Rate(help_text="Arrived / (sent + refused).")
    bounce_rate = Rate(help_text="Bounced / (sent + refused).")
    open_rate = Rate(help_text="Opened / arrived.")
    click_rate = Rate(help_text="Clicked / arrived.")
    click_to_open_rate = Rate(help_text="Clicked / opened.")
    conversion_rate = Rate(help_text="Converted / arrived.")
    unsubscribe_rate = Rate(help_text="Unsubscribed / arrived.")


class RoiSerializer(serializers.Serializer[Roi]):
    """ROI with each part of its formula."""

    formula = serializers.SerializerMethodField()
    revenue = Money()
    cost = Money(allow_null=True, help_text="Sum of the costs; null if none is known.")
    costs = serializers.DictField(child=Money(), help_text="By kind.")
    profit = Money(allow_null=True, help_text="Revenue less cost.")
    roi = Rate(help_text="Profit by cost: 1.5 is 150 %.")
    budget = Money(allow_null=True, help_text="The planned cost; not part of the formula.")
    conversions = serializers.IntegerField()
    revenue_per_conversion = Money(allow_null=True)
    break_even_conversions = serializers.IntegerField(allow_null=True)
    broke_even = serializers.BooleanField(allow_null=True)

    def get_formula(self, _roi: Roi) -> str:
        return FORMULA


class StepSerializer(serializers.Serializer[Any]):
    """A step of a funnel, with its fractions of the previous and of the first step."""

    step = serializers.CharField(source="key")
    name = serializers.CharField(source="label")
    count = serializers.IntegerField()
    of_previous = Rate()
    of_first = Rate()


class ResultsSerializer(serializers.Serializer[Any]):
    """Results of several campaigns."""

    totals = TotalsSerializer()
    roi = RoiSerializer()
