from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from marketing.api.campaigns import CampaignViewSet
from marketing.api.executions import ExecutionsView, ExecutionView, RunsView
from marketing.api.library import ImageViewSet, SnippetViewSet
from marketing.api.policy import FrequencyRuleViewSet, QuietHoursViewSet
from marketing.api.push import PushTokenView
from marketing.api.responses import CampaignResponsesView
from marketing.api.senders import SenderViewSet
from marketing.api.templates import TemplateViewSet
from marketing.api.workflows import EnrollmentViewSet, WorkflowViewSet

router = SimpleRouter()
router.register("templates", TemplateViewSet, basename="template")
router.register("snippets", SnippetViewSet, basename="snippet")
router.register("images", ImageViewSet, basename="image")
router.register("senders", SenderViewSet, basename="sender")
router.register("campaigns", CampaignViewSet, basename="campaign")
router.register("workflows", WorkflowViewSet, basename="workflow")
router.register("frequency-rules", FrequencyRuleViewSet, basename="frequency-rule")
router.register("quiet-hours", QuietHoursViewSet, basename="quiet-hours")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("campaign-responses/", CampaignResponsesView.as_view(), name="campaign-responses"),
    path("campaigns/<str:id>/runs/", RunsView.as_view(), name="campaign-runs"),
    path("campaigns/<str:id>/executions/", ExecutionsView.as_view(), name="campaign-executions"),
    path("customers/<str:id>/push-token/", PushTokenView.as_view(), name="push-token"),
    path(
        "enrollments/<str:id>/",
        EnrollmentViewSet.as_view({"get": "retrieve", "post": "act"}),
        name="enrollment-detail",
    ),
    path("executions/<str:id>/", ExecutionView.as_view(), name="execution-detail"),
]
