from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from analytics.api.attribution import AttributionView
from analytics.api.campaigns import CampaignResults
from analytics.api.commerce import (
    CategoriesView,
    MonthlyRevenueView,
    SatisfactionView,
    TopCustomersView,
)
from analytics.api.experiments import ExperimentView
from analytics.api.overview import DashboardView, KpisView, OverviewView
from analytics.api.people import ChurnRiskView, CohortsView, RfmView
from analytics.api.results import FunnelView, RoiReportView
from analytics.api.segments import CustomerSegmentsView, SegmentPerformance

router = SimpleRouter()
router.register("campaigns", CampaignResults, basename="campaign-result")
router.register("segments", SegmentPerformance, basename="segment-performance")

pages: list[URLPattern | URLResolver] = [
    path(
        "",
        CampaignResults.as_view({"get": "list"}, basename="campaign-result"),
        name="analytics",
    ),
    path("dashboard/", DashboardView.as_view(), name="analytics-dashboard"),
    path("overview/", OverviewView.as_view(), name="analytics-overview"),
    path("kpis/", KpisView.as_view(), name="analytics-kpis"),
    path("roi/", RoiReportView.as_view(), name="analytics-roi"),
    path("funnel/", FunnelView.as_view(), name="analytics-funnel"),
    path("customer_segments/", CustomerSegmentsView.as_view(), name="analytics-customer-segments"),
    path("monthly_revenue/", MonthlyRevenueView.as_view(), name="analytics-monthly-revenue"),
    path("top_customers/", TopCustomersView.as_view(), name="analytics-top-customers"),
    path("product_category_performance/", CategoriesView.as_view(), name="analytics-categories"),
    path("rfm_segmentation/", RfmView.as_view(), name="analytics-rfm"),
    path("churn_risk/", ChurnRiskView.as_view(), name="analytics-churn-risk"),
    path("cohorts/", CohortsView.as_view(), name="analytics-cohorts"),
    path("attribution/", AttributionView.as_view(), name="analytics-attribution"),
    path("customer_satisfaction/", SatisfactionView.as_view(), name="analytics-satisfaction"),
    path("campaigns/<str:id>/experiment/", ExperimentView.as_view(), name="analytics-experiment"),
    path("", include(router.urls)),
    path(
        "<str:id>/",
        CampaignResults.as_view({"get": "retrieve"}, basename="campaign-result"),
        name="analytics-campaign",
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [path("analytics/", include(pages))]
