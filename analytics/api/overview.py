"""The home dashboard and the headline figures over the API."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.campaigns import CampaignRowSerializer
from analytics.api.commerce import MonthSerializer, SatisfactionSerializer
from analytics.api.figures import Money, Rate, ResultsSerializer
from analytics.api.query import DaysQuery
from analytics.commerce import Period, Sales
from analytics.dashboards import HomeDashboard, Notice, RunProgress, home_dashboard
from analytics.headlines import CustomerFigures, Overview, overview
from crm.api import rights
from crm.api.fields import People, PublicId
from crm.api.parameters import KnownParameters
from crm.api.query import Query
from customers.models import Segment


class SalesSerializer(serializers.Serializer[Sales]):
    revenue = Money()
    orders = serializers.IntegerField()
    average_order_value = Money(source="average", allow_null=True)


class PeriodSerializer(serializers.Serializer[Period]):
    """Sales of some whole days, and of as many days before."""

    first = serializers.DateField()
    last = serializers.DateField()
    now = SalesSerializer()
    before = SalesSerializer()
    by_day = serializers.ListField(child=Money(), help_text="Revenue of each day, oldest first.")


class PeopleSerializer(serializers.Serializer[CustomerFigures]):
    number = serializers.IntegerField()
    estimated = serializers.BooleanField(help_text="Whether the number is the database's estimate.")
    new = serializers.IntegerField(help_text="Registered in the 30 days of the period.")
    by_lifecycle = serializers.DictField(child=People())


class SegmentOutlineSerializer(serializers.ModelSerializer[Segment]):
    id = PublicId("seg")
    size = People()

    class Meta:
        model = Segment
        fields = ["id", "name", "slug", "size", "refreshed_at"]
        read_only_fields = fields


class UnderwaySerializer(serializers.Serializer[RunProgress]):
    """An unfinished run."""

    campaign = PublicId("cmp", source="run.campaign_id")
    name = serializers.CharField(source="run.campaign.name")
    run = PublicId("run", source="run.pk")
    status = serializers.CharField(source="run.state")
    done = serializers.IntegerField(help_text="Messages with a final state.")
    total = serializers.IntegerField()


class NoticeSerializer(serializers.Serializer[Notice]):
    """A problem that needs attention."""

    kind = serializers.CharField(help_text="error, overdue, failed or unconfirmed.")
    campaign = PublicId("cmp", source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    number = serializers.IntegerField(help_text="Number of messages.")
    detail = serializers.CharField()


class DashboardSerializer(serializers.Serializer[HomeDashboard]):
    """The home dashboard; customers and sales are as of `computed_at`."""

    computed_at = serializers.DateTimeField(source="customers.computed_at")
    customers = PeopleSerializer()
    sales = PeriodSerializer(source="customers.period")
    months = MonthSerializer(source="customers.months", many=True)
    results = ResultsSerializer(source="real", help_text="Results of all real campaigns.")
    simulated = ResultsSerializer(help_text="Results of all simulated campaigns.")
    campaigns = CampaignRowSerializer(
        many=True, help_text="Campaigns under way first, then the newest."
    )
    segments = SegmentOutlineSerializer(many=True, help_text="The largest segments.")
    under_way = UnderwaySerializer(many=True)
    notices = NoticeSerializer(many=True)


class OverviewSerializer(serializers.Serializer[Overview]):
    as_of = serializers.DateField(
        source="period.last",
        help_text="Today, or the day of the newest order if it is older than a month.",
    )
    customers = serializers.IntegerField(source="customers.number")
    customers_estimated = serializers.BooleanField(source="customers.estimated")
    new_customers = serializers.IntegerField(source="customers.new")
    buyers = serializers.IntegerField(
        source="customers.buyers", help_text="Customers with an order in the period."
    )
    by_lifecycle = serializers.DictField(child=People(), source="customers.by_lifecycle")
    sales = PeriodSerializer(source="period")
    satisfaction = SatisfactionSerializer()
    segments = serializers.IntegerField()
    campaigns = serializers.DictField(
        child=serializers.IntegerField(), help_text="Number of campaigns by status."
    )
    results = ResultsSerializer(source="real", help_text="Results of all real campaigns.")
    simulated = ResultsSerializer(help_text="Results of all simulated campaigns.")


class KpisSerializer(serializers.Serializer[Overview]):
    """All headline figures on one level; those of campaigns are of real campaigns, all time."""

    as_of = serializers.DateField(source="period.last")
    computed_at = serializers.DateTimeField(source="customers.computed_at")
    days = serializers.IntegerField(source="period.days")
    customers = serializers.IntegerField(source="customers.number")
    new_customers = serializers.IntegerField(source="customers.new")
    buyers = serializers.IntegerField(source="customers.buyers")
    revenue = Money(source="period.now.revenue")
    revenue_before = Money(source="period.before.revenue")
    revenue_change = Rate(source="period.revenue_change")
    orders = serializers.IntegerField(source="period.now.orders")
    orders_before = serializers.IntegerField(source="period.before.orders")
    orders_change = Rate(source="period.orders_change")
    average_order_value = Money(source="period.now.average", allow_null=True)
    total_lifetime_value = Money(
        source="customers.lifetime_value.total",
        help_text="Spend so far plus the prediction for the next year, of all customers.",
    )
    average_lifetime_value = Money(
        source="customers.lifetime_value.average",
        allow_null=True,
        help_text="On average per customer with a profile.",
    )
    retention_rate = Rate(
        source="customers.loyalty.retention_rate",
        help_text="Fraction of the buyers of the period before who bought in the period.",
    )
    repeat_rate = Rate(
        source="customers.loyalty.repeat_rate",
        help_text="Fraction of all buyers with two orders or more.",
    )
    satisfaction = Rate(source="satisfaction.average", help_text="Average CSAT (1 to 5).")
    messages_sent = serializers.IntegerField(source="real.totals.sent")
    delivery_rate = Rate(source="real.totals.delivery_rate")
    open_rate = Rate(source="real.totals.open_rate")
    click_rate = Rate(source="real.totals.click_rate")
    conversion_rate = Rate(source="real.totals.conversion_rate")
    conversions = serializers.IntegerField(source="real.totals.converted")
    campaign_revenue = Money(source="real.totals.revenue")
    campaign_cost = Money(source="real.roi.cost", allow_null=True)
    roi = Rate(source="real.roi.roi", help_text="ROI of the campaigns with a known cost.")


class DashboardView(KnownParameters):
    """The home dashboard."""

    rights = rights.each(get="analytics.view_campaignmetrics")

    @extend_schema(responses=DashboardSerializer)
    def get(self, request: Request) -> Response:
        """Return customers, sales, results, campaigns, segments, runs under way and notices."""
        return Response(DashboardSerializer(home_dashboard()).data)


class OverviewView(Query):
    """The headline figures by subject."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = DaysQuery

    @extend_schema(parameters=[DaysQuery], responses=OverviewSerializer)
    def get(self, request: Request) -> Response:
        """Return customers, sales of two periods, satisfaction and the results of all campaigns."""
        return Response(OverviewSerializer(overview(**self.query)).data)


class KpisView(Query):
    """The headline figures on one level."""

    rights = rights.each(get="analytics.view_campaignmetrics")
    query_serializer_class = DaysQuery

    @extend_schema(parameters=[DaysQuery], responses=KpisSerializer)
    def get(self, request: Request) -> Response:
        """Return the headline figures as of the last day of the period."""
        return Response(KpisSerializer(overview(**self.query)).data)
