from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from customers.api.segments import PreviewView, SegmentViewSet

router = SimpleRouter()
router.register("segments", SegmentViewSet, basename="segment")

urlpatterns: list[URLPattern | URLResolver] = [
    path("customers/preview/", PreviewView.as_view(), name="customer-preview"),
    path("", include(router.urls)),
]
