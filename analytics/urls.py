"""Public pages of analytics."""

from django.urls import path

from analytics.shared_dashboards import SharedDashboardPage

urlpatterns = [
    path("shared/<str:token>/", SharedDashboardPage.as_view(), name="shared-dashboard"),
]
