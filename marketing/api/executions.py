"""One message over the API."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import RetrieveAPIView

from marketing.api.execution_serializers import ExecutionDetailSerializer
from marketing.api.fields import ID, ByPublicId
from marketing.models import CampaignExecution


@extend_schema_view(get=extend_schema(parameters=[ID]))
class ExecutionView(ByPublicId, RetrieveAPIView[CampaignExecution]):
    """One message: its state, why, and what happened to it in order of time."""

    id_kind = "msg"
    serializer_class = ExecutionDetailSerializer
    queryset = CampaignExecution.objects.select_related("run", "run__version__template")
