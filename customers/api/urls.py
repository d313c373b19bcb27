from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from crm.api import ids
from customers.api.ai import SegmentFromTextView
from customers.api.collect import RefusedIdViewSet
from customers.api.consent import SuppressionViewSet, TopicViewSet
from customers.api.customers import CustomerViewSet
from customers.api.events import EventsView, ProcessEventsView, PublishEventView
from customers.api.imports import ImportViewSet
from customers.api.lookalikes import LookalikeAudienceView
from customers.api.merges import LikelyDuplicateViewSet, MergeViewSet
from customers.api.orders import ExchangeRateViewSet, OrderViewSet, ProductViewSet, RefundViewSet
from customers.api.privacy import ErasureViewSet
from customers.api.records import InterestViewSet, ServiceInteractionViewSet, VisitViewSet
from customers.api.segments import PreviewView, SegmentViewSet
from customers.api.triggers import TriggerViewSet
from customers.api.write_keys import WriteKeyViewSet

router = SimpleRouter()
router.register("customers", CustomerViewSet, basename="customer")
router.register("merges", MergeViewSet, basename="merge")
router.register("likely-duplicates", LikelyDuplicateViewSet, basename="likely-duplicate")
router.register("orders", OrderViewSet, basename="order")
router.register("refunds", RefundViewSet, basename="refund")
router.register("exchange-rates", ExchangeRateViewSet, basename="exchange-rate")
router.register("products", ProductViewSet, basename="product")
router.register("service-interactions", ServiceInteractionViewSet, basename="service-interaction")
router.register("visits", VisitViewSet, basename="visit")
router.register("interests", InterestViewSet, basename="interest")
router.register("imports", ImportViewSet, basename="import")
router.register("refused-ids", RefusedIdViewSet, basename="refused-id")
router.register("write-keys", WriteKeyViewSet, basename="write-key")
router.register("topics", TopicViewSet, basename="topic")
router.register("suppressions", SuppressionViewSet, basename="suppression")
router.register("erasures", ErasureViewSet, basename="erasure")
router.register("segments", SegmentViewSet, basename="segment")
router.register(
    rf"segments/(?P<segment_id>{ids.IN_PATH})/triggers", TriggerViewSet, basename="segment-trigger"
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("customers/preview/", PreviewView.as_view(), name="customer-preview"),
    path("ai/segment-from-text/", SegmentFromTextView.as_view(), name="ai-segment-from-text"),
    path(
        "ai/lookalike-audience/",
        LookalikeAudienceView.as_view(),
        name="ai-lookalike-audience",
    ),
    path("events/", EventsView.as_view(), name="events"),
    path("events/publish/", PublishEventView.as_view(), name="events-publish"),
    path("events/process/", ProcessEventsView.as_view(), name="events-process"),
    path("", include(router.urls)),
]
