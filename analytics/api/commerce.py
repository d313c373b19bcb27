"""What customers bought and said: tables and figures, each answerable on its own."""

from __future__ import annotations

from itertools import dropwhile
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import commerce, satisfaction
from analytics.api.figures import Money, Rate
from analytics.api.query import USUAL_MONTHS, LimitQuery, MonthsQuery, SpanQuery
from analytics.commerce import Category, Month
from analytics.satisfaction import Satisfaction
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from crm.api.query import Query
from customers.models import Customer


class MonthSerializer(serializers.Serializer[Month]):
    month = serializers.DateField(source="first_day", help_text="Its first day.")
    revenue = Money()
    orders = serializers.IntegerField()
    average_order_value = Money(source="average", allow_null=True)
    new_customers = serializers.IntegerField()


class TopCustomerSerializer(serializers.Serializer[Customer]):
    id = PublicId("cus")
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    total_spend = Money()
    order_count = serializers.IntegerField()
    average_order_value = Money(allow_null=True)
    last_order_at = serializers.DateTimeField(allow_null=True)


class CategorySerializer(serializers.Serializer[Category]):
    category = serializers.CharField(source="name", help_text="Empty for products without one.")
    revenue = Money()
    quantity = serializers.DecimalField(max_digits=20, decimal_places=3)
    orders = serializers.IntegerField()
    customers = serializers.IntegerField(help_text="How many different customers bought of it.")


class SatisfactionSerializer(serializers.Serializer[Satisfaction]):
    interactions = serializers.IntegerField()
    by_type = serializers.DictField(child=serializers.IntegerField())
    resolved = serializers.IntegerField()
    resolution_rate = Rate()
    mean_hours_to_resolve = serializers.SerializerMethodField()
    answers = serializers.IntegerField(help_text="Interactions with a mark.")
    average = Rate(help_text="Mean of the marks, 1 to 5.")
    score = Rate(help_text="CSAT: marks of 4 and 5, of all marks.")
    marks = serializers.DictField(child=serializers.IntegerField())

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_mean_hours_to_resolve(self, found: Satisfaction) -> float | None:
        mean = found.mean_time_to_resolve
        return None if mean is None else round(mean.total_seconds() / 3600, 1)


class SatisfactionOfSpanSerializer(SatisfactionSerializer):
    since = serializers.DateField()
    until = serializers.DateField()


class Table(Endpoint, Lists, Query, ListAPIView[Any]):
    """A table that is computed: `get_queryset` gives its rows, in their order."""

    filter_backends = []


@extend_schema_view(get=extend_schema(parameters=[MonthsQuery]))
class MonthlyRevenueView(Table):
    """Revenue, orders and new customers of each calendar month, oldest first; refunds lower the revenue of
    the month in which they are."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    serializer_class = MonthSerializer
    query_serializer_class = MonthsQuery

    def get_queryset(self) -> Any:
        if "months" in self.query:
            return commerce.months(commerce.as_of(), self.query["months"])
        months = commerce.months(commerce.as_of(), USUAL_MONTHS)
        return list(dropwhile(lambda month: month.is_empty, months))


@extend_schema_view(get=extend_schema(parameters=[LimitQuery]))
class TopCustomersView(Table):
    """Who spent most, all time."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    serializer_class = TopCustomerSerializer
    query_serializer_class = LimitQuery

    def get_queryset(self) -> Any:
        return list(commerce.top_customers(self.query["limit"]))


@extend_schema_view(get=extend_schema(parameters=[SpanQuery]))
class CategoriesView(Table):
    """What was sold of each category of products, best first."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    serializer_class = CategorySerializer
    query_serializer_class = SpanQuery

    def get_queryset(self) -> Any:
        return commerce.categories(**self.query)


class SatisfactionView(Query):
    """What customers came with, how much of it was resolved, and the marks that they gave."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = SpanQuery

    @extend_schema(parameters=[SpanQuery], responses=SatisfactionOfSpanSerializer)
    def get(self, request: Request) -> Response:
        """Service interactions of 90 days, or of the days asked for."""
        span = self.query
        found = SatisfactionSerializer(satisfaction.satisfaction(**span)).data
        return Response({"since": span["first"], "until": span["last"], **found})
