"""What figures look like in the API: rates are fractions from 0 to 1, money is a decimal string in the site's currency."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from analytics.returns.roi import Roi

FORMULA = "roi = (revenue - cost) / cost"


class Rate(serializers.FloatField):
    """A fraction to four places; null where there is nothing to divide by."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True, **options})

    def to_representation(self, value: Any) -> Any:
        return round(float(value), 4)


class Money(serializers.DecimalField):
    """A decimal string with two places."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 20, "decimal_places": 2, **options})


class TotalsSerializer(serializers.Serializer[Any]):
    """analytics.metrics.Totals. `arrived` is what rates of reading are taken of: delivered, or sent and not bounced."""

    sent = serializers.IntegerField()
    delivered = serializers.IntegerField()
    arrived = serializers.IntegerField()
    bounced = serializers.IntegerField()
    opened = serializers.IntegerField(help_text="Messages opened at least once.")
    opens = serializers.IntegerField(help_text="Every open.")
    clicked = serializers.IntegerField(help_text="Messages clicked at least once.")
    clicks = serializers.IntegerField(help_text="Every click.")
    converted = serializers.IntegerField(help_text="Messages that led to an order.")
    unsubscribed = serializers.IntegerField()
    revenue = Money(help_text="What those orders came to.")
    delivery_rate = Rate(help_text="Arrived of sent.")
    bounce_rate = Rate(help_text="Bounced of sent.")
    open_rate = Rate(help_text="Opened of arrived.")
    click_rate = Rate(help_text="Clicked of arrived.")
    click_to_open_rate = Rate(help_text="Clicked of opened.")
    conversion_rate = Rate(help_text="Converted of arrived.")
    unsubscribe_rate = Rate(help_text="Unsubscribed of arrived.")


class RoiSerializer(serializers.Serializer[Roi]):
    """analytics.returns.roi.Roi: the formula and each of its parts."""

    formula = serializers.SerializerMethodField()
    revenue = Money()
    cost = Money(allow_null=True, help_text="Sum of the costs; null while none is entered.")
    costs = serializers.DictField(child=Money(), help_text="By kind.")
    profit = Money(allow_null=True, help_text="Revenue less cost.")
    roi = Rate(help_text="Profit by cost: 1.5 is 150 %.")
    budget = Money(allow_null=True, help_text="What was planned; no part of the formula.")
    conversions = serializers.IntegerField()
    revenue_per_conversion = Money(allow_null=True)
    break_even_conversions = serializers.IntegerField(allow_null=True)
    broke_even = serializers.BooleanField(allow_null=True)

    def get_formula(self, _roi: Roi) -> str:
        return FORMULA


class StepSerializer(serializers.Serializer[Any]):
    """analytics.funnel.Step: one step, with how many of the step before and of the first came to it."""

    step = serializers.CharField(source="key")
    name = serializers.CharField(source="label")
    count = serializers.IntegerField()
    of_previous = Rate()
    of_first = Rate()


class ResultsSerializer(serializers.Serializer[Any]):
    """analytics.dashboard.Results: what some campaigns came to."""

    totals = TotalsSerializer()
    roi = RoiSerializer()
