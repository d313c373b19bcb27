"""Export and erase one customer's data over the API."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from crm.accounts.current_user import user_of
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.fields import PublicId
from crm.api.lists import Lists
from customers.models import Customer, ErasureReceipt
from customers.privacy import erase, export

ID = OpenApiParameter(
    "id", OpenApiTypes.STR, OpenApiParameter.PATH, description="`cus_…` or the external id."
)


class ErasureReceiptSerializer(serializers.ModelSerializer[ErasureReceipt]):
    """How many rows, files and lines were erased. `finished_at` is null until files and logs are done."""

    id = PublicId("era")
    customer = serializers.SerializerMethodField()
    removed = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    erased_at = serializers.DateTimeField(source="created_at", read_only=True)
    failures = serializers.DictField(
        child=serializers.CharField(),
        read_only=True,
        help_text="The steps that failed, with the kind of error. They run again every minute.",
    )

    class Meta:
        model = ErasureReceipt
        fields: ClassVar[list[str]] = [
            "id", "customer", "removed", "failures", "erased_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_customer(self, receipt: ErasureReceipt) -> str:
        return ids.encode("cus", receipt.customer_id)


class PersonalData(GenericViewSet[Customer]):
    """Mixin for the viewset of customers: export and erase."""

    rights = rights.each(
        export=("customers.export_personal_data", SEE_PERSONAL_DATA),
        erase=("customers.erase_customer", SEE_PERSONAL_DATA),
    )

    @extend_schema(parameters=[ID], responses=OpenApiTypes.OBJECT)
    @action(detail=True, filterset_class=None, filter_backends=[])
    def export(self, request: Request, id: str) -> Response:
        """Export all personal data of the customer, table by table."""
        return Response(export(self.get_object(), by=user_of(request)))

    @extend_schema(parameters=[ID], request=None, responses=ErasureReceiptSerializer)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, id: str) -> Response:
        """Erase everything personal; orders and counts stay. Repeating it answers with the same receipt."""
        receipt = erase(self.get_object(), by=user_of(request))
        return Response(ErasureReceiptSerializer(receipt).data)


class ErasureViewSet(Endpoint, Lists, ReadOnlyModelViewSet[ErasureReceipt]):
    """Receipts of erasures."""

    rights = rights.of_model("customers.erasurereceipt")
    queryset = ErasureReceipt.objects.all()
    serializer_class = ErasureReceiptSerializer
    filter_backends = ()
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> ErasureReceipt:
        return get_object_or_404(self.get_queryset(), pk=ids.decode("era", str(self.kwargs["id"])))
