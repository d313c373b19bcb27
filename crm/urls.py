"""Every route: the admin, sign-in, the API and the public links of messages."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from crm.accounts.adapters import to_google
from crm.api import webhooks
from crm.api.root import ApiRoot, welcome
from crm.demo.api import SeedView
from customers.api.collect import CollectView

urlpatterns = [
    path("", welcome, name="welcome"),
    path("admin/", admin.site.urls),
    path("accounts/", include("crm.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/", ApiRoot.as_view(), name="api-root"),
    path("api/auth/google/", to_google, name="api-google"),
    path("api/auth/", include("crm.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema"),
        name="api-docs",
    ),
    path("api/seed/", SeedView.as_view(), name="api-seed"),
    path("api/", include(webhooks.router.urls)),
    path("api/", include("customers.api.urls")),
    path("api/", include("marketing.api.urls")),
    path("api/", include("analytics.api.urls")),
    path("v1/<str:kind>/", CollectView.as_view(), name="collect"),
    path("", include("marketing.urls")),
    path("", include("analytics.urls")),
]

handler400 = "crm.api.problems.bad_request"
handler404 = "crm.api.problems.not_found"
handler500 = "crm.api.problems.server_error"
