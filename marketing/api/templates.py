"""Edit, preview and test templates over the API, and restore their versions."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from crm.accounts import audit
from crm.accounts.current_user import user_of
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from marketing.api.errors import MarketingProblems
from marketing.api.fields import ID, ByPublicId
from marketing.api.template_serializers import (
    ChangesSerializer,
    FindingSerializer,
    LookSerializer,
    MessagePreviewSerializer,
    TemplateSerializer,
    TestReceiptSerializer,
    TestSendSerializer,
    VersionSerializer,
)
from marketing.content import (
    links_of,
    preview,
    restore_version,
    send_test,
    unreachable,
    version_changes,
    versions_of,
)
from marketing.models import CampaignTemplate, TemplateVersion
from marketing.sending.sender_accounts import sender_for

NUMBER = OpenApiParameter("number", OpenApiTypes.INT, OpenApiParameter.PATH)
AGAINST = OpenApiParameter(
    "against",
    OpenApiTypes.INT,
    description="The version to compare with; the one before if not given.",
)


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    update=extend_schema(parameters=[ID]),
    partial_update=extend_schema(parameters=[ID]),
    destroy=extend_schema(
        parameters=[ID],
        responses={204: None, 409: OpenApiResponse(description="A campaign uses it.")},
    ),
)
class TemplateViewSet(
    MarketingProblems, Endpoint, Lists, ByPublicId, ModelViewSet[CampaignTemplate]
):
    """Templates, in Liquid. Sent messages keep their content when a template changes."""

    rights = rights.of_model(
        "marketing.campaigntemplate",
        preview="marketing.view_campaigntemplate",
        check_links="marketing.change_campaigntemplate",
        test_send="marketing.change_campaigntemplate",
        versions="marketing.view_templateversion",
        version_changes="marketing.view_templateversion",
        restore_version="marketing.change_campaigntemplate",
    )
    id_kind = "tpl"
    serializer_class = TemplateSerializer
    queryset = CampaignTemplate.objects.annotate(newest=Max("versions__number")).order_by("name")
    filterset_fields = ("channel",)
    search_fields = ("name", "subject")
    ordering_fields = ("id", "name", "updated_at")

    @extend_schema(parameters=[ID], request=LookSerializer, responses=MessagePreviewSerializer)
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, id: str) -> Response:
        """Return the message as a customer would get it, and its findings; nothing is sent or tracked."""
        audit.leave_out()
        given = LookSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        seen = preview(self.get_object(), given.validated_data.get("customer"))
        return Response(MessagePreviewSerializer(seen).data)

    @extend_schema(parameters=[ID], request=None, responses=FindingSerializer(many=True))
    @action(
        detail=True,
        methods=["post"],
        url_path="check-links",
        pagination_class=None,
        filter_backends=[],
    )
    def check_links(self, request: Request, id: str) -> Response:
        """Request every link of the message; returns a finding for each that fails."""
        audit.leave_out()
        found = unreachable(links_of(self.get_object()))
        return Response(FindingSerializer(found, many=True).data)

    @extend_schema(
        parameters=[ID],
        request=TestSendSerializer,
        responses={
            200: TestReceiptSerializer,
            502: OpenApiResponse(description="The provider refused it."),
        },
    )
    @action(detail=True, methods=["post"], url_path="test-send")
    def test_send(self, request: Request, id: str) -> Response:
        """Send it to one address, marked as a test; it counts nowhere."""
        template: CampaignTemplate = self.get_object()
        given = TestSendSerializer(data=request.data, context={"channel": template.channel})
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        sender = wanted.get("sender") or sender_for(template.channel)
        receipt = send_test(
            template,
            sender=sender,
            to_address=wanted["to"],
            customer=wanted.get("customer"),
        )
        answer = {"provider_id": receipt.provider_id, "simulated": sender.simulated}
        return Response(TestReceiptSerializer(answer).data)

    @extend_schema(parameters=[ID], responses=VersionSerializer(many=True))
    @action(detail=True, gives_rows=True, filter_backends=[])
    def versions(self, request: Request, id: str) -> Response:
        """Return its versions, newest first."""
        return self.listed(self._versions(), VersionSerializer)

    @extend_schema(parameters=[ID, NUMBER, AGAINST], responses=ChangesSerializer)
    @action(detail=True, url_path=r"versions/(?P<number>\d+)/changes")
    def version_changes(self, request: Request, id: str, number: str) -> Response:
        """Return what a version changed."""
        after = self._version(number)
        against = request.query_params.get("against", str(after.number - 1))
        before = self._version(against)
        answer = {
            "before": before.number,
            "after": after.number,
            "changes": version_changes(before, after),
        }
        return Response(ChangesSerializer(answer).data)

    @extend_schema(parameters=[ID, NUMBER], request=None, responses=TemplateSerializer)
    @action(detail=True, methods=["post"], url_path=r"versions/(?P<number>\d+)/restore")
    def restore_version(self, request: Request, id: str, number: str) -> Response:
        """Restore the content of a version; the present content stays as a version."""
        version = self._version(number)
        restore_version(version, by=user_of(request))
        return Response(self.get_serializer(self.get_object()).data)

    def _versions(self) -> QuerySet[TemplateVersion, Any]:
        return versions_of(self.get_object()).select_related("created_by")

    def _version(self, number: str) -> TemplateVersion:
        known = number if number.isdigit() and len(number) < 10 else "0"
        return get_object_or_404(self._versions(), number=known)
