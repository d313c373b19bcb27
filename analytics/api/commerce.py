"""Sales, categories, top customers and satisfaction over the API."""

from __future__ import annotations

from itertools import dropwhile
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import commerce
from analytics.api.figures import Money, Rate
from analytics.api.query import USUAL_MONTHS, DateRangeQuery, LimitQuery, MonthsQuery
from analytics.commerce import Category, Month, Satisfaction
from analytics.days import as_of
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from crm.api.query import Query
from customers.models import Customer


class MonthSerializer(serializers.Serializer[Month]):
    month = serializers.DateField(source="first_day", help_text="First day of the month.")
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
    customers = serializers.IntegerField(help_text="Number of distinct buyers.")


class SatisfactionSerializer(serializers.Serializer[Satisfaction]):
    interactions = serializers.IntegerField()
    by_type = serializers.DictField(child=serializers.IntegerField())
    resolved = serializers.IntegerField()
    resolution_rate = Rate()
    mean_hours_to_resolve = serializers.SerializerMethodField()
    answers = serializers.IntegerField(help_text="Interactions with a rating.")
    average = Rate(help_text="Mean rating, 1 to 5.")
    score = Rate(help_text="CSAT: fraction of ratings of 4 and 5.")
    marks = serializers.DictField(
        child=serializers.IntegerField(), source="ratings", help_text="Number of each rating."
    )

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_mean_hours_to_resolve(self, found: Satisfaction) -> float | None:
        mean = found.mean_time_to_resolve
        return None if mean is None else round(mean.total_seconds() / 3600, 1)


class SatisfactionOfSpanSerializer(SatisfactionSerializer):
    since = serializers.DateField()
    until = serializers.DateField()


class Table(Endpoint, Lists, Query, ListAPIView[Any]):
    """A computed table: `get_queryset` returns its rows in order."""

    filter_backends = []


@extend_schema_view(get=extend_schema(parameters=[MonthsQuery]))
class MonthlyRevenueView(Table):
    """Revenue, orders and new customers of each calendar month, oldest first; refunds lower the revenue of
    their month."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    serializer_class = MonthSerializer
    query_serializer_class = MonthsQuery

    def get_queryset(self) -> Any:
        last = self.query.get("until") or as_of()
        if "months" in self.query:
            return commerce.months(last, self.query["months"])
        months = commerce.months(last, USUAL_MONTHS)
        return list(dropwhile(lambda month: month.is_empty, months))


@extend_schema_view(get=extend_schema(parameters=[LimitQuery]))
class TopCustomersView(Table):
    """Customers with the highest total spend."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    serializer_class = TopCustomerSerializer
    query_serializer_class = LimitQuery

    def get_queryset(self) -> Any:
        return list(commerce.top_customers(self.query["limit"]))


@extend_schema_view(get=extend_schema(parameters=[DateRangeQuery]))
class CategoriesView(Table):
    """Sales by product category, highest revenue first."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    serializer_class = CategorySerializer
    query_serializer_class = DateRangeQuery

    def get_queryset(self) -> Any:
        return commerce.cached_categories(**self.query)


class SatisfactionView(Query):
    """Customer satisfaction: service interactions, resolutions and ratings."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = DateRangeQuery

    @extend_schema(parameters=[DateRangeQuery], responses=SatisfactionOfSpanSerializer)
    def get(self, request: Request) -> Response:
        """Summarise the service interactions of some days."""
        days = self.query
        found = SatisfactionSerializer(commerce.satisfaction(**days)).data
        return Response({"since": days["first"], "until": days["last"], **found})
