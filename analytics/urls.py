"""What strangers see of analytics: no login, a signed link."""

from django.urls import path

from analytics.public import SharedDashboardPage

urlpatterns = [
    path("shared/<str:token>/", SharedDashboardPage.as_view(), name="shared-dashboard"),
]
